"""Clarifai's predict API before our models: what it asks in its way is asked of the same hosts as everything else."""
