"""Diagnostic codes and rules of compatibility: what each one means, for ``taskbind explain CODE``."""

from __future__ import annotations

from .diagnostics import Code, TaskbindError


def codes() -> dict[str, Code]:
    """Every code, in order: of `load` (TB1xx), `normalize` and the linter (TB2xx), `lower` (TB3xx), imports (TB4xx)."""
    from . import examples, lower, wires
    from .importing.clarifai.codes import CODES as CLARIFAI
    from .importing.openapi.codes import CODES as OPENAPI
    from .load.codes import CODES
    from .normalize import RULES
    from .normalize.style_rules import CODES as STYLE

    found = (
        *CODES,
        *(rule.code for rule in RULES),
        *STYLE,
        *examples.CODES,
        *lower.CODES,
        *wires.CODES,
        *OPENAPI,
        *CLARIFAI,
    )
    known = {code.code: code for code in sorted(found, key=lambda code: code.code)}
    assert len(known) == len(found), "two things have one code"
    return known


def explain(code: str) -> str:
    """The explanation of one code, or of one rule of compatibility by its id, as plain text.

    Raises TaskbindError for one that nothing reports; the message proposes the nearest one.
    """
    from .evolve.catalogue import rule_text
    from .evolve.rules import RULES

    if rule := RULES.get(code.strip().lower()):
        return rule_text(rule)
    known = codes()
    found = known.get(code.strip().upper())
    if found is None:
        from difflib import get_close_matches

        text = code.strip()
        near = get_close_matches(text.upper(), known, n=1, cutoff=0.5) or get_close_matches(text.lower(), RULES, n=1)
        what = f"no diagnostic has the code {code!r}, and no rule of compatibility that id"
        raise TaskbindError(what + (f"; did you mean {near[0]}?" if near else ""))
    loose = f"\n\n`--allow-loose {found.code}` goes on without the keyword." if found.loosenable else ""
    return f"{found.code} ({found.severity}): {found.title}\n\n{found.text}{loose}"
