"""Diagnostic codes: what each one means, for ``taskbind explain CODE``."""

from __future__ import annotations

from .diagnostics import Code, TaskbindError


def codes() -> dict[str, Code]:
    """Every code that `load` (TB1xx), `normalize` and the linter (TB2xx) and `lower` (TB3xx) report, in order."""
    from . import examples, lower, wires
    from .load.codes import CODES
    from .normalize import RULES
    from .normalize.style_rules import CODES as STYLE

    found = (*CODES, *(rule.code for rule in RULES), *STYLE, *examples.CODES, *lower.CODES, *wires.CODES)
    return {code.code: code for code in sorted(found, key=lambda code: code.code)}


def explain(code: str) -> str:
    """The explanation of one code, as plain text.

    Raises TaskbindError for a code that nothing reports; the message proposes the nearest one.
    """
    known = codes()
    found = known.get(code.strip().upper())
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(code.strip().upper(), known, n=1, cutoff=0.5)
        raise TaskbindError(f"no diagnostic has the code {code!r}" + (f"; did you mean {near[0]}?" if near else ""))
    loose = f"\n\n`--allow-loose {found.code}` goes on without the keyword." if found.loosenable else ""
    return f"{found.code} ({found.severity}): {found.title}\n\n{found.text}{loose}"
