"""Where Clarifai's models are: names that people have at hand, and the route of a model's predict call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from ..errors import InputError

_SITE = re.compile(r"(?:https?://)?(?:www\.)?clarifai\.com/", re.IGNORECASE)
_ROUTE = re.compile(r"/?(?:v2/)?users/([^/]+)/apps/([^/]+)/models/")
_ID = re.compile(r"[\w.~@:+-]+", re.ASCII)
_WANTED = (
    "give user/app/model, the path of the model's page on clarifai.com (user/app/models/model) or the model's id, each "
    "with /versions/… behind it for one of its versions"
)


@dataclass(frozen=True)
class Address:
    """A model, of one user's app if they are named, in one version or else the latest."""

    model: str
    version: str | None = None
    user: str | None = None
    app: str | None = None

    @property
    def route(self) -> str:
        """The path of the model's predict call."""
        owner = f"/users/{_quoted(self.user)}/apps/{_quoted(self.app)}" if self.user and self.app else ""
        version = f"/versions/{_quoted(self.version)}" if self.version else ""
        return f"/v2{owner}/models/{_quoted(self.model)}{version}/outputs"


def address(name: str) -> Address:
    """The model of a name: ``user/app/model``, the path or URL of its page on clarifai.com or of the API, or its id.

    Raises InputError for any other text.
    """
    text = name.strip() if isinstance(name, str) else ""
    if page := _SITE.match(text):
        text = re.split(r"[?#]", text[page.end() :])[0]
    text = _ROUTE.sub(r"\1/\2/", text, count=1) if _ROUTE.match(text) else text
    version: str | None = None
    parts = text.removesuffix("/").split("/")
    if len(parts) > 2 and parts[-2] == "versions":
        *parts, _, version = parts
    if len(parts) == 4 and parts[2] == "models":
        del parts[2]
    ids = parts if version is None else [*parts, version]
    if len(parts) not in (1, 3) or parts[-1] == "models" or not all(map(_is_id, ids)):
        known = f" (that of owner/name is {'--'.join(parts)})" if len(parts) == 2 and all(map(_is_id, parts)) else ""
        raise InputError(f"model: {str(name)[:100]!r} is not the name of a model there; {_WANTED}{known}")
    user, app = parts[:2] if len(parts) == 3 else (None, None)
    return Address(parts[-1], version, user, app)


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and text not in (".", "..")


def _quoted(text: str | None) -> str:
    return quote(text or "", safe="@:+~")
