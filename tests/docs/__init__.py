"""The docs: every page parses, every printed program runs."""
