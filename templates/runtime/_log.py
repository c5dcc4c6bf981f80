"""One logger, named after the package; silent unless the application or an environment variable sets it up."""

from __future__ import annotations

import logging
import os

from .errors import ConfigurationError

LOG = logging.getLogger(__name__.partition(".")[0])
LOG.addHandler(logging.NullHandler())

_LEVELS = ("debug", "info", "warning", "error")


def set_up(variable: str) -> None:
    """Log to standard error from the level on that the environment `variable` names, if it does.

    Raises ConfigurationError for a level that there is not.
    """
    level = os.environ.get(variable, "").strip().lower()
    if not level:
        return
    if level not in _LEVELS:
        raise ConfigurationError(f"{variable}: {level[:40]!r} is no level; use one of {', '.join(_LEVELS)}")
    LOG.setLevel(level.upper())
    if not any(type(handler) is logging.StreamHandler for handler in LOG.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        LOG.addHandler(handler)
