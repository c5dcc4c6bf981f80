"""What an input of a call holds: media by URL or as bytes, texts, alone or in parts; as its task's wire takes them.

The published limits hold for each medium, beside those that the operator sets: ``max_body`` bounds the whole body of a
call, so that it is to be raised for inputs of the published sizes (128 images of 20 MB in base64 are 3.4 GB), and
``max_pending`` what all calls hold together, fetched media included. What is decoded is bound by ``max_pixels``, which
is less by default than Clarifai's 85 megapixels, and by ``max_seconds``.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...clarifai.codes import Code
from ...dialect import Wire
from ..engine import Engine
from ..memory import Share
from ..problems import RequestProblem, TooLarge
from ..settings import MEGABYTE, Limits
from ..urls import SCHEMES
from .problems import Problem, of_input
from .turns import together

if TYPE_CHECKING:
    import httpx

MAX_INPUTS: Final = 128
MAX_ID: Final = 200
"""How many characters an id may have, be it of an input or of a model and whose that is: answers repeat them."""


@dataclass(frozen=True)
class Medium:
    """The member of a medium that holds it as it is, and the most bytes that it may be, so or by URL."""

    inline: str
    most: int
    most_fetched: int


MEDIA: Final[Mapping[str, Medium]] = {
    "image": Medium("base64", 20 * MEGABYTE, 20 * MEGABYTE),
    "audio": Medium("base64", 20 * MEGABYTE, 20 * MEGABYTE),
    "video": Medium("base64", 10 * MEGABYTE, 100 * MEGABYTE),
    "text": Medium("raw", 20 * MEGABYTE, 20 * MEGABYTE),
}
"""What Clarifai publishes."""

Data = dict[str, Any]


def member(holder: Mapping[str, Any], name: str, field: str = "") -> Mapping[str, Any]:
    """The object that `holder`, at `field`, has as its member `name`; an empty one if it has none.

    Raises Problem for anything else.
    """
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Problem(Code.CONN_BAD_REQUEST_FORMAT, f"{field}{name}: must be an object")
    return value


def given(item: Mapping[str, Any], wire: Wire, limits: Limits, instead: str = "") -> Data:
    """The data of an input, those of its parts with them, unless `wire` itself has parts; media are as they came.

    Raises Problem if there are none, if they are given twice, for what no request of `wire` holds but for the medium
    that may stand `instead` of an image, for more parts than the `limits` allow texts, for media that are neither a
    URL nor as they are or are too large, and for ids that are none: nothing is fetched for an input that is refused.
    """
    _check_id(item, "id")
    data = _data(item, "data")
    parts = []
    for index, part in enumerate(_parts(data, limits)):
        _check_id(part, f"data.parts.{index}.id")
        parts.append(_data(part, f"data.parts.{index}.data"))
    for index, part in enumerate(parts):
        if "parts" in part:
            raise of_input(Code.INPUT_INVALID_ARGUMENT, f"data.parts.{index}.data.parts", "parts have none themselves")
    for name in ("parts", "metadata"):
        data.pop(name, None)
    if parts and wire.takes("data", "parts"):
        data["parts"] = [{"data": part} for part in parts]
    else:
        for index, part in enumerate(parts):
            for name, value in part.items():
                if name in data:
                    raise of_input(Code.INPUT_INVALID_ARGUMENT, f"data.parts.{index}.data.{name}", "is given twice")
                data[name] = value
    places = [there for form in wire.requests for _, there in form if there[:1] == ("data",)]
    taken = list(dict.fromkeys(str(name) for _, name, *_ in places))
    inner = list(dict.fromkeys(str(there[4]) for there in places if there[1] == "parts" and len(there) > 4))
    known = f"this model takes {' and '.join(map(_how, taken))}"
    if instead:
        known = f"{known}, or {_how(instead)} in place of the image"
    if not data:
        raise of_input(Code.INPUT_INVALID_ARGUMENT, "data", f"is required: {known}")
    for name in data:
        if name not in taken and (name != instead or "image" in data):
            raise of_input(Code.INPUT_UNSUPPORTED_FORMAT, f"data.{name}", f"does not fit: {known}")
    for index, part in enumerate(data.get("parts", ())):
        for name in part["data"]:
            if name not in inner:
                message = f"does not fit: the parts that this model takes have {' and '.join(map(_how, inner))}"
                raise of_input(Code.INPUT_UNSUPPORTED_FORMAT, f"data.parts.{index}.data.{name}", message)
    for medium, value, field in _media(data):
        _check(medium, value, field)
    return data


def _how(name: str) -> str:
    return f"data.{name} (url or {MEDIA[name].inline})" if name in MEDIA else f"data.{name}"


def echoed(data: Mapping[str, Any]) -> Data:
    """What an answer repeats of an input's data: texts and what is a URL, and never the bytes of a medium."""
    told: Data = {}
    for name, value in data.items():
        if name in MEDIA and isinstance(value, dict):
            names = ("url", "raw") if name == "text" else ("url",)
            texts = {key: value[key] for key in names if isinstance(value.get(key), str)}
            told[name] = {key: text for key, text in texts.items() if key == "raw" or _is_url(text)}
        elif name == "parts" and isinstance(value, list):
            told[name] = [_part(part) for part in value if isinstance(part, dict)]
    return told


def _is_url(text: str) -> bool:
    try:
        _parsed(text, "")
    except Problem:
        return False
    return True


def _part(part: Mapping[str, Any]) -> Data:
    data = part.get("data")
    own = part.get("id")
    told: Data = {"id": own} if isinstance(own, str) and len(own) <= MAX_ID else {}
    return {**told, "data": echoed(data)} if isinstance(data, dict) else told


def _check_id(holder: Mapping[str, Any], field: str) -> None:
    own = holder.get("id")
    if not isinstance(own, str | None) or len(own or "") > MAX_ID:
        raise of_input(Code.INPUT_INVALID_ARGUMENT, field, f"must be a text of {MAX_ID} characters at most")


def _data(holder: Mapping[str, Any], field: str) -> Data:
    data = holder.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise of_input(Code.INPUT_INVALID_ARGUMENT, field, "must be an object")
    return {name: value for name, value in data.items() if value not in (None, {}, [])}


def _parts(data: Data, limits: Limits) -> list[Mapping[str, Any]]:
    parts = data.get("parts", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise of_input(Code.INPUT_INVALID_ARGUMENT, "data.parts", "must be a list of objects")
    if len(parts) > limits.max_texts:
        raise of_input(Code.INPUT_OVER_LIMIT, "data.parts", f"are more than {limits.max_texts}")
    return parts


async def filled(data: Data, engine: Engine, share: Share, turns: asyncio.Semaphore) -> Data:
    """The `data`, which are `given`, with each medium as it is in place of its URL.

    They are fetched side by side, as the `turns` of their call allow, and together in ``fetch_timeout`` from the first
    turn on. Raises Problem, and RequestProblem (429).
    """
    end: float | None = None

    async def content(medium: Medium, value: Data, field: str) -> str:
        nonlocal end
        async with turns:
            if end is None:
                end = asyncio.get_running_loop().time() + engine.settings.fetch_timeout
            fetched = await _fetched(value["url"], f"{field}.url", medium, engine, share, end)
        encoded = medium.inline == "base64"
        return (
            binascii.b2a_base64(fetched, newline=False).decode("ascii") if encoded else _text(fetched, f"{field}.url")
        )

    remote = [place for place in _media(data) if place[1].get("url")]
    if not remote:
        return _with(data, iter(()))
    return _with(data, iter(await together(content(*place) for place in remote)))


def fetches(data: Data) -> bool:
    """Whether some of the `data`, which are `given`, are a URL's."""
    return any(value.get("url") for _, value, _ in _media(data))


def weight(data: Data) -> int:
    """How many characters all media of filled `data` have."""
    parts = sum(weight(part["data"]) for part in data.get("parts", ()))
    return parts + sum(len(data[name][medium.inline]) for name, medium in MEDIA.items() if name in data)


def _media(data: Data, field: str = "data") -> Iterator[tuple[Medium, Any, str]]:
    """The media among the `data` at `field`, each with what is said of it and where."""
    for name, value in data.items():
        if name in MEDIA:
            yield MEDIA[name], value, f"{field}.{name}"
        elif name == "parts":
            for index, part in enumerate(value):
                yield from _media(part["data"], f"{field}.{name}.{index}.data")


def _with(data: Data, fetched: Iterator[str]) -> Data:
    """The `data` with each medium as it is: next of the `fetched` if it has a URL."""
    told: Data = {}
    for name, value in data.items():
        if name in MEDIA:
            inline = MEDIA[name].inline
            told[name] = {inline: next(fetched) if value.get("url") else value[inline]}
        elif name == "parts":
            told[name] = [{"data": _with(part["data"], fetched)} for part in value]
        else:
            told[name] = value
    return told


def _check(medium: Medium, value: Any, field: str) -> None:
    """Raises Problem for a `value` at `field` that is not a medium of this kind, or a larger one than is published."""
    if not isinstance(value, dict):
        raise of_input(Code.INPUT_INVALID_ARGUMENT, field, f"must be an object with url or {medium.inline}")
    inline, url = value.get(medium.inline) or None, value.get("url") or None
    if (inline is None) == (url is None):
        raise of_input(Code.INPUT_INVALID_ARGUMENT, field, f"must have either url or {medium.inline}")
    if url is not None:
        _parsed(url, f"{field}.url")
        return
    if not isinstance(inline, str):
        raise of_input(Code.INPUT_INVALID_ARGUMENT, f"{field}.{medium.inline}", "must be a text")
    if medium.inline == "base64" and inline[:8].lower().startswith(SCHEMES):
        message = f"must be base64; a URL is to be in {field}.url"
        raise of_input(Code.ALL_INPUT_INVALID_BYTES, f"{field}.base64", message)
    size = len(inline) // 4 * 3 if medium.inline == "base64" else len(inline.encode("utf-8", "replace"))
    if size > medium.most:
        raise of_input(Code.INPUT_OVER_LIMIT, f"{field}.{medium.inline}", f"is more than {medium.most} bytes")


def _parsed(url: Any, field: str) -> httpx.URL:
    from ..fetch import parsed_url

    if not isinstance(url, str):
        raise of_input(Code.INPUT_INVALID_URL, field, "must be a text")
    try:
        return parsed_url(url, field)
    except RequestProblem as problem:
        raise of_input(Code.INPUT_INVALID_URL, field, problem.message) from None


async def _fetched(url: str, field: str, medium: Medium, engine: Engine, share: Share, end: float) -> bytes:
    if engine.fetcher is None:
        message = "this server does not fetch URLs (its operator may allow that: see the setting fetch)"
        raise of_input(Code.INPUT_DOWNLOAD_FAILED, field, message)
    try:
        return await engine.fetcher.fetch(_parsed(url, field), field, share, medium.most_fetched, end)
    except TooLarge as problem:
        raise of_input(Code.INPUT_OVER_LIMIT, field, problem.message) from None
    except RequestProblem as problem:
        if not problem.fields:
            raise
        raise of_input(Code.INPUT_DOWNLOAD_FAILED, field, problem.message) from None


def _text(data: bytes, field: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise of_input(Code.ALL_INPUT_INVALID_BYTES, field, "is no text in UTF-8") from None
