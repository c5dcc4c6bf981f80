"""Pictures with questions, and what the models that answer them have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ..server.calls import decode_base64
from ..server.decode import decode_image
from ..server.handler import Image, RequestProblem
from ..server.settings import Limits

IMAGE = "inputs.image"
QUESTION = "inputs.question"


class Page(NamedTuple):
    """A page or another picture, and a question about it."""

    image: Image
    question: str


def read_page(item: Any, limits: Limits) -> Page:
    """The page that the `inputs` of a request are. Raises RequestProblem."""
    if not item.question.strip():
        raise RequestProblem("holds nothing to read", field=QUESTION)
    return Page(decode_image(decode_base64(item.image, IMAGE), IMAGE, limits), item.question)


class PageReader(Protocol):
    """One way from a page to answers.

    `refusal` says why requests with `parameters` cannot be answered by this model, if they cannot. `read` gives for
    each page the answers as JSON values or the RequestProblem in their place; nothing of use for None.
    """

    def refusal(self, parameters: Any) -> RequestProblem | None: ...

    def read(self, pages: Sequence[Page | None], parameters: Any) -> list[Any]: ...
