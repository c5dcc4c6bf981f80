"""Specs of other kinds become specs in our layout: read and repaired here, proven and written by :mod:`.write`."""
