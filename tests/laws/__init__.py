"""The laws held against everything: ``python -m tests.laws`` over all specs, and the proof that they catch mistakes."""
