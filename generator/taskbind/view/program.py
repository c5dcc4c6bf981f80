"""A program and what its template sees, whichever kind of call it makes."""

from __future__ import annotations

from dataclasses import dataclass

from .languages import Language


@dataclass(frozen=True)
class Program:
    """One program, saved as `file`. It expects the files `needs`, paths below ``docs/samples``, beside it.

    `way` says what is sent: the `example` as it is, as ``"file"`` (the media file is the body), ``"base64"`` (JSON with
    media as base64) or ``"text"`` (JSON without media); ``"url"`` is the example with its media by URL, ``"stream"``
    asks for events, and ``"several"`` are several inputs in turn, of which the example's is the first.
    ``"predict-url"`` and ``"predict-data"`` are predict calls (see :mod:`.predict`).
    """

    id: str
    task: str
    example: str
    way: str
    language: Language
    file: str
    needs: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class View:
    """What the templates see: everything is already text in the template's language.

    `form` is that of the :class:`~.ways.Way`. `file` is the name of the sample that is the body and `upload` curl's
    word for its content, `payload` a JSON request. Several requests are a loop over `items`: names of files
    (`over` is ``"file"``), primary inputs (``"inputs"``), or whole requests (``"body"``) where those are texts.
    `auth` is the word before the token. `arguments` are those of the client's method, `answer` turns what it returns
    into JSON text: of a `stream`, each `event`.
    """

    form: str
    base: str
    url: str
    token: str
    content_type: str
    file: str
    upload: str
    payload: str
    over: str
    items: tuple[str, ...]
    package: str
    method: str
    arguments: str
    answer: str
    import_json: bool
    stream: bool = False
    auth: str = "Bearer"
