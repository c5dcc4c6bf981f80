"""`nox` runs all sessions; `nox -s tests` runs one."""

from __future__ import annotations

import nox

nox.options.sessions = ["check", "tests", "docs"]


@nox.session
def check(session: nox.Session) -> None:
    """The specs have nothing to report, and what is committed is what they generate."""
    session.install("-r", "requirements-dev.txt")
    session.run("taskbind", "lint")
    session.run("taskbind", "check", "--diff")


@nox.session
def tests(session: nox.Session) -> None:
    """The service answers what the specs say; arguments go to pytest."""
    session.install("-e", "generated[serve,testing]", "pytest")
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build a web site of the docs into ./site."""
    session.install("-r", "requirements-dev.txt")
    session.run("taskbind", "site")
