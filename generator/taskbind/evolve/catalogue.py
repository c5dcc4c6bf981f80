"""The catalogue of rules as people read it: one rule on a terminal, all of them as a page of the docs."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any as Json, Final

from .rules import GROUPS, Rule

_WIDTH: Final = 80

_INTRO: Final = """\
# Compatibility

<!-- Written by `taskbind explain --rules`; change the rules, not this page. -->

`taskbind diff OLD NEW` judges every change between two versions of the specs twice: for callers **on the wire**, who
send JSON and never see our code, and for users of the generated **Python**, who may break where no byte changes (a
class with another name) and go on where bytes do.

| level | on the wire | in Python |
|---|---|---|
| safe | nothing that worked stops working | code goes on as it is |
| dangerous | what worked is accepted still, and may do something else; readers may meet what they do not expect | \
what code reads may be of another kind: a type checker points it out |
| breaking | a request that worked is refused, or an answer comes that OLD said never would | \
a name, an argument or an attribute is gone, has to be given now, or takes no longer what it took |

## Direction decides

**A request may only widen, an answer may only narrow.** A request is written by a caller of OLD and read by a server
of NEW, so it breaks where NEW takes less. An answer, or an event of a streamed one, is written by a server of NEW and
read by a caller of OLD, so it breaks where NEW sends more. The same change of a shared definition can be safe in one
place and breaking in another; each place is judged by itself.

## What is assumed

- **A sender is closed.** It sends the declared members of an object and no others, although JSON Schema leaves
  objects open by default. Otherwise no member could ever be added: some caller could have sent that name with any
  value. An object that declares no members is a map whose names the sender chooses, and members whose names fit
  `patternProperties` are declared.
- **A reader is as its schema says.** Where an object of an answer is open, readers skip members that they do not
  know, so adding one is safe. Where it is closed (`additionalProperties: false`), a strict reader refuses them, so
  adding one breaks. Leave the objects of answers open, and close those of requests: unknown members are then refused
  instead of ignored.
- **Formats are notes**, as JSON Schema 2020-12 has them: a server may check them, ours does not.
- **Media are told apart** by their types, although a schema does not look into base64.

Definitions that were moved or renamed and mean the same are no change. A member that is gone and a new one of the
same type with a similar name, or the same description, are one rename; so are two tasks that share
most members of their requests and answers.

## Rules, proofs and payloads

A rule knows one change and no more. So each verdict that breaks is checked at the smallest place it is about, then
around it, by proving that all that is sent is taken (containment of JSON Schemas, with senders closed):

- **proved**: the change affects nobody, and is safe. `multipleOf: 4` that becomes 2, a bound that another one
  implies, an alternative that cannot be mistaken for another.
- **disproved**: it breaks. A payload is searched that shows it, as small as one is found: a request that OLD takes
  and NEW refuses, or an answer of NEW that a reader of OLD refuses. It is printed only if validators of both schemas
  confirm it.
- **undecided**, which is rare (some patterns and recursive schemas, very large ones), and no payload found: it counts
  as breaking. Say in the ignore list why it does not, if you know.

Models enforce bounds, patterns and conditions too: where such a proof holds, the change is safe in Python as well. For
an answer that proof goes the other way, since it is about code that builds answers: what OLD allowed is in NEW.

At last the whole request, or answer, is asked. If a payload shows that a rule which said *safe* was wrong, it is
overruled; that is an error in taskbind, and we would like to hear of it.

## All rules

"""


def page() -> str:
    """The page ``docs/compatibility.md``: the principle, and all rules with their examples."""
    lines = [_INTRO.rstrip()]
    for title, rules in GROUPS.items():
        lines += [
            "",
            f"**[{title}](#{title.lower().replace(' ', '-')})**",
            "",
            "| rule | wire | Python |",
            "|---|---|---|",
        ]
        lines += [f"| [`{rule.id}`](#{rule.id}) {rule.title} | {rule.wire} | {rule.python} |" for rule in rules]
    for title, rules in GROUPS.items():
        lines += ["", f"## {title}"]
        for rule in rules:
            lines += ["", f"### {rule.id}", "", f"**{rule.title}.** Wire: {rule.wire}. Python: {rule.python}."]
            lines += ["", rule.text, "", "```diff", *_example(rule), "```"]
    return "\n".join(lines) + "\n"


def rule_text(rule: Rule) -> str:
    """One rule as plain text."""
    levels = f"{rule.id} (wire: {rule.wire}, Python: {rule.python}): {rule.title}"
    return "\n".join([levels, "", rule.text, "", *_example(rule)])


def _example(rule: Rule) -> list[str]:
    """The files of its example, as a diff of each one that is another now."""
    old, new = rule.example.old, rule.example.new
    lines: list[str] = []
    for path in dict.fromkeys((*old, *new)):
        before, after = (_text(files.get(path)) for files in (old, new))
        if before != after:
            found = [*unified_diff(before, after, lineterm="", n=1000)][3:]
            lines += [f"# {path}", *(line.rstrip() for line in found)]
    return lines


def _text(data: Json) -> list[str]:
    if data is None:
        return []
    return (data if isinstance(data, str) else _json(data)).splitlines()


def _json(data: Json, indent: int = 0) -> str:
    """JSON in which what fits on a line stands on one, but for the whole."""
    line = json.dumps(data, ensure_ascii=False)
    if (indent and len(line) + indent <= _WIDTH) or not isinstance(data, dict | list):
        return line
    pad, end = " " * (indent + 2), " " * indent
    if isinstance(data, dict):
        inner = [f"{pad}{json.dumps(key)}: {_json(value, indent + 2)}" for key, value in data.items()]
        return "{\n" + ",\n".join(inner) + f"\n{end}}}"
    return "[\n" + ",\n".join(f"{pad}{_json(value, indent + 2)}" for value in data) + f"\n{end}]"
