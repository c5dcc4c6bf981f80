"""An answer in the words of a dialect: another shape of the JSON, or the media file in it as the body."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from .._sniff import sniff
from ..dialect import Wire
from ..encoded import Base64
from .trace import Trace

JSON = "application/json"


def spoken(wire: Wire | None, content: bytes, headers: Mapping[bytes, bytes], trace: Trace) -> Response:
    """The response with `content`, an answer as the spec has it, to a request with `headers`."""
    about = {"x-cache": trace.cache}
    if wire is None or _as_spec(wire, headers):
        return Response(content, 200, about, JSON)
    if wire.file is not None and not _wants_json(headers):
        file = _file(json.loads(content).get(wire.file))
        if file is not None:
            return Response(file, 200, about, sniff(file) or "application/octet-stream")
    if wire.answers_as_spec:
        return Response(content, 200, about, JSON)
    return Response(as_json(wire.answered(json.loads(content), facts(trace))), 200, about, JSON)


def facts(trace: Trace) -> dict[str, Any]:
    """What the server knows of an answer that its model does not say, by the names that `Wire.added` has for it."""
    return {"{id}": trace.request_id, "{model}": trace.model, "{time}": int(time.time())}


def as_json(value: Any) -> bytes:
    """JSON text on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _as_spec(wire: Wire, headers: Mapping[bytes, bytes]) -> bool:
    agent = headers.get(b"user-agent", b"").decode("latin-1")
    return bool(wire.plain_for) and wire.plain_for in agent


def _wants_json(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client asks for JSON and names nothing else that it would take."""
    kinds = [part.split(b";", 1)[0].strip() for part in headers.get(b"accept", b"").lower().split(b",")]
    return bool(kinds) and all(kind == JSON.encode() for kind in kinds)


def _file(text: Any) -> bytes | None:
    try:
        return Base64(text).data if isinstance(text, str) else None
    except ValueError:
        return None
