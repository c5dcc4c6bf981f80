"""How the demo models are made: one module per task, plus what the tasks share.

Every trainer has the same shape, ``train(models: Path, samples: Path) -> Report``: make the data, fit a small
transformers model, save it, load it again from disk through the Auto classes, measure it on data it has not
seen, and write the sample inputs.
"""
