"""The view model: what the docs say, as finished text, before any template lays it out.

Pages, the package's README and docstrings, the OpenAPI document and the playground are all written from it, so that a
fact about a task has one wording. Everything here reads the IR and the plan, and touches no disk.
"""
