"""What is told of an OpenAPI document that is imported, and how."""

from __future__ import annotations

from typing import Final

from ...diagnostics import Code, Severity
from ...ir import Source

_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

CODES: Final = (
    Code(
        "TB420",
        _E,
        "not an OpenAPI document that can be read",
        "`taskbind import openapi` reads OpenAPI 3.0, 3.1 and 3.2 as strict JSON or as plain YAML: an object with "
        "`openapi`, `info` and `paths`. YAML is held to what JSON can say: no tags, merge keys (`<<`) or several "
        "documents in a file, no key twice, and `yes` is a text. What an alias stands for is copied.",
    ),
    Code(
        "TB421",
        _E,
        "operation cannot be said exactly",
        "Something about the operation has no exact counterpart in a task, so it was left out rather than bent: the "
        "generated client would send or accept something else than the service does. The others were imported.",
    ),
    Code(
        "TB422",
        _E,
        "reference cannot be followed",
        "A `$ref` is followed inside the document and to files beside and below it, by JSON Pointer. Nothing is "
        "fetched from a network, nothing is read outside of the document's folder, and `$id`, anchors and dynamic "
        "references are not read.",
    ),
    Code(
        "TB423",
        _W,
        "parameter left out",
        "What stands in the query, in a header or in a cookie is no part of a task's request. Callers can still send "
        "it with `extra_query=` and `extra_headers=`, or for all calls with the client's `default_headers=`.",
    ),
    Code(
        "TB424",
        _I,
        "member of one direction",
        "A member that is `readOnly` is left out of requests, one that is `writeOnly` out of answers. A schema that is "
        "used in both becomes two.",
    ),
    Code(
        "TB425",
        _I,
        "file written as text",
        "JSON cannot hold bytes. What the document calls binary becomes media in base64 in the spec; where the service "
        "wants the file itself, wire.toml says so, and that is what the generated client sends. In a JSON body "
        "`format: binary` has no meaning, and any text may stand there.",
    ),
    Code(
        "TB426",
        _I,
        "variant told by its tag",
        "A `discriminator` says which value of a member means which variant. JSON Schema does not know it, so that the "
        "variant's own schema has to say it, and now does.",
    ),
    Code(
        "TB427",
        _W,
        "example left out",
        "An example of the document is not valid, too large, or cannot be written to task.toml, which has no null.",
    ),
    Code(
        "TB428",
        _I,
        "request wrapped",
        "A task's request is an object with named members, and its files are members of its first one. This body is "
        "not so; in the spec it is the member `inputs`, and wire.toml says that on the wire nothing is around it.",
    ),
    Code(
        "TB429",
        _W,
        "said of the service, and not used",
        "Something that the document says of the whole service has no place in dialects.toml: an address that is not "
        "https, a key in a header of its own, or a stream that no request can ask for.",
    ),
)
SEVERITY: Final = {code.code: code.severity for code in CODES}


BY_HAND: Final = "write this task by hand: docs/importing.md"
"""Advice to readers, who can rarely change the service."""


class Unsayable(Exception):  # noqa: N818 - it is no error of anybody: the operation is left out, with this reason
    """Why something at `place` cannot be imported."""

    def __init__(self, message: str, place: Source, fix: str = BY_HAND, code: str = "TB421") -> None:
        super().__init__(message)
        self.message, self.place, self.fix, self.code = message, place, fix, code
