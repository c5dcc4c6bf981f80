"""The codes of what `load` reports (TB1xx), and the one way in which it reports."""

from __future__ import annotations

from typing import Final

from ..diagnostics import Code, Diagnostic, Report, Severity

_E, _W = Severity.ERROR, Severity.WARNING

CODES: Final = (
    Code(
        "TB101",
        _E,
        "file cannot be read",
        "The file or folder is missing, is not a regular file, or its permissions forbid reading it.",
    ),
    Code(
        "TB102",
        _E,
        "link leaves the spec root",
        "A symbolic link points outside the spec root. Only files under the root are read, so that a checkout of "
        "foreign specs cannot draw other files of the machine into generated code.",
    ),
    Code(
        "TB103",
        _E,
        "file exceeds a limit",
        "A spec file holds at most 1 MiB, 64 levels of nesting and 20,000 values, to which the names lead in at most "
        "30 million characters. Real specs are far below; a file beyond them would cost minutes or exhaust memory "
        "further on.",
    ),
    Code(
        "TB104",
        _E,
        "file is not UTF-8",
        "Spec files are UTF-8 without a byte order mark. Save the file in that encoding.",
    ),
    Code(
        "TB105",
        _E,
        "file is not JSON",
        "Spec files are strict JSON (RFC 8259): no comments, no trailing commas, no single quotes.",
    ),
    Code(
        "TB106",
        _E,
        "key stands twice in an object",
        "Parsers disagree on which of two equal keys counts, so there is no safe reading. Remove one of them.",
    ),
    Code(
        "TB107",
        _E,
        "number is not a JSON number",
        "NaN and Infinity are not JSON, and numbers beyond the range of a double (or integers of more than 300 digits) "
        "do not survive the parsers that generated code uses.",
    ),
    Code(
        "TB108",
        _E,
        "lone surrogate in a string",
        "A \\ud800 to \\udfff escape without its partner is no Unicode character and cannot be written as UTF-8.",
    ),
    Code(
        "TB109",
        _E,
        "file is not a schema",
        "A spec file holds one JSON Schema, which is a JSON object, or `true` or `false`.",
    ),
    Code(
        "TB110",
        _E,
        "task folder is incomplete",
        "A task needs both input.json and output.json (in spec/ in Hugging Face's layout). A folder with one of them "
        "would give half a client, so it is refused; without both it is not a task and is ignored.",
    ),
    Code(
        "TB111",
        _E,
        "bad task id",
        "The folder's name is the task id. It becomes a URL, a module and a class name, so it is words of lower-case "
        "letters and digits joined by single hyphens, at most 100 characters: image-classification.",
    ),
    Code(
        "TB112",
        _E,
        "ambiguous layout",
        "A task folder holds its schemas either directly or in spec/, not both; and schemas that are shared lie in the "
        "spec root under other names than input.json, output.json and stream_output.json.",
    ),
    Code(
        "TB113",
        _W,
        "template skipped",
        "An `$id` or `$ref` holds a placeholder in angle brackets, so this folder is a template for new tasks and not "
        "a task. It is left out.",
    ),
    Code("TB114", _E, "no tasks found", "The spec root holds no task folder, so there is nothing to generate."),
    Code("TB115", _E, "task.toml is not TOML", "task.toml is a TOML 1.0 file in UTF-8."),
    Code(
        "TB116",
        _E,
        "unknown key in task.toml",
        "Only the documented keys are read. An unknown one is most likely misspelt, and would be lost in silence.",
    ),
    Code(
        "TB117",
        _E,
        "wrong value in task.toml",
        "The value of a key in task.toml has another type or form than documented.",
    ),
    Code(
        "TB118",
        _E,
        "sample is missing or outside",
        "`media` of an example names a regular file, relative to the task's folder and inside the spec root.",
    ),
    Code(
        "TB119",
        _W,
        "recorded response without an example",
        "examples/<name>.response.json (and .written.json, .raw.txt, .text.txt) belongs to the example of that name in "
        "task.toml; no example has this name.",
    ),
    Code(
        "TB120",
        _E,
        "unknown dialect",
        "`$schema` names the JSON Schema draft that a file is written in, all of it: draft-04, draft-06, draft-07, "
        "2019-09 or 2020-12. Without it a file is read as 2020-12. Meta-schemas of one's own are not read.",
    ),
    Code(
        "TB121",
        _E,
        "schema is not valid in its dialect",
        "The file was checked against the meta-schema of the draft that it declares, and a keyword there has a value "
        "of the wrong type or range.",
    ),
    Code(
        "TB123",
        _E,
        "two schemas with one name",
        "Two schemas have the same `$id`, or two in one resource the same anchor, so that references by it could mean "
        "either.",
    ),
    Code(
        "TB124",
        _E,
        "name of a page of the docs",
        "Each task has a page in the docs, called as it is. The pages on all tasks together (errors, limits, changelog "
        "and others) have names of their own, which no task can have, whether or not this project has that page.",
    ),
    Code(
        "TB130",
        _E,
        "reference leads nowhere",
        "A `$ref` is a pointer into its own file (#/$defs/Name), an anchor (#name), or the relative path or `$id` of a "
        "schema in the spec root, and a schema must stand there.",
    ),
    Code(
        "TB131",
        _E,
        "reference leaves the spec root",
        "A `$ref` to a file: URL or a path above the spec root would copy other files of the machine into the output.",
    ),
    Code(
        "TB132",
        _E,
        "remote reference",
        "Nothing is ever fetched from a network. Copy the schema into the spec root and refer to it there. Only the "
        "official meta-schemas of JSON Schema are known without that.",
    ),
    Code(
        "TB133",
        _E,
        "circular reference",
        "A chain of references, also through allOf, anyOf, not, if and so on, comes back to itself without a property "
        "or item in between, so it never says anything. Chains longer than 64 are refused too.",
    ),
    Code("TB134", _E, "reference is not text", "The value of a reference is a string: a URI, a path or a pointer."),
    Code(
        "TB135",
        _E,
        "reference to something that is not a schema",
        "The pointer of a `$ref` resolves, but not to a place where JSON Schema expects a schema.",
    ),
    Code(
        "TB140",
        _E,
        "dialects.toml or wire.toml is not TOML",
        "dialects.toml and wire.toml are TOML 1.0 files in UTF-8. In a basic string a backslash begins an escape; a "
        "place such as $['it\\'s'] is best written between single quotation marks.",
    ),
    Code(
        "TB141",
        _E,
        "unknown key in dialects.toml or wire.toml",
        "Only the documented keys are read. An unknown one is most likely misspelt, and would be lost in silence.",
    ),
    Code(
        "TB142",
        _E,
        "wrong value in dialects.toml or wire.toml",
        "The value of a key has another type or form than documented. The address of a service is https, since tokens "
        "go there (http only on this very machine), and `models` is a path that holds {model} once.",
    ),
    Code(
        "TB143",
        _E,
        "dialect is not declared",
        "Each table of a wire.toml says how the task is spoken in the dialect of its name. The dialects are declared "
        "in dialects.toml, in the spec root, with their title and address.",
    ),
    Code(
        "TB144",
        _E,
        "bad name of a dialect",
        "The name of a dialect becomes a method of the generated clients, so it is lower-case letters, digits and "
        "underscores, begins with a letter, is at most 40 characters long and no word of Python's own.",
    ),
    Code(
        "TB145",
        _E,
        "not a place",
        "A place in a request or an answer is written in a small part of JSONPath (RFC 9535): `$` is the whole value, "
        "`.name` or `['any name']` a member, `[0]` an item, `[*]` every item of a list. Filters, slices and the like "
        "name no single place and are not read.",
    ),
    Code(
        "TB146",
        _E,
        "form that contradicts itself",
        "A form says for each value where it stands in the spec and where on the wire. Each `[*]` on the one side is "
        "the same item as the `[*]` at its turn on the other, so there are as many; and no place is another one or "
        "inside it, or the same value would have to stand in two places.",
    ),
)
_SEVERITY: Final = {code.code: code.severity for code in CODES}


def tell(
    report: Report, code: str, path: str, message: str, *, fix: str = "", pointer: str = "", line: int = 0
) -> None:
    """Add one finding of `load` to the report; long messages are cut."""
    message = message if len(message) <= 240 else f"{message[:240]}…"
    report.add(Diagnostic(path, line, pointer, code, _SEVERITY[code], message, fix))
