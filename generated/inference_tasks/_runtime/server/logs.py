"""The log: a line for each request, as text or as JSON, with nothing in it that a client or a model wrote.

The route stands there as it was declared, not as it was asked for, so that no address and no query gets into a log.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from .trace import Trace

log = logging.getLogger(__name__)


def answered(method: str, route: str, trace: Trace, status: int) -> None:
    """Log a request: at level info, or warning if the server failed it.

    That a model is not ready yet (503) is told to those who ask too early, again and again, and is no failure.
    """
    level = logging.WARNING if status >= 500 and status != 503 else logging.INFO
    if not log.isEnabledFor(level):
        return
    fields: dict[str, Any] = {
        "request_id": trace.request_id,
        "method": method,
        "route": route or None,
        "model": trace.model or None,
        "status": status,
        "ms": round(trace.seconds * 1000, 3),
        "batch": trace.batch or None,
        "cache": trace.cache or None,
    }
    fields |= {f"{stage}_ms": round(seconds * 1000, 3) for stage, seconds in trace.stages.items()}
    log.log(level, "request", extra={"fields": {name: value for name, value in fields.items() if value is not None}})


class Lines(logging.Formatter):
    """A line of text for each record."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """The record, and what else it tells."""
        fields = getattr(record, "fields", {})
        return super().formatMessage(record) + "".join(f" {name}={value}" for name, value in fields.items())


class JsonLines(logging.Formatter):
    """A JSON object on one line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its time in UTC; a traceback is one of its members."""
        content = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False, default=str)


def set_up(level: str, form: str) -> None:
    """Send what the process logs, from `level` on, to standard error in the `form` json or text."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
