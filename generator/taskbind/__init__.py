"""taskbind: one pair of JSON Schemas per inference task in; models, client, server, OpenAPI and docs out."""

__version__ = "0.1.0"
