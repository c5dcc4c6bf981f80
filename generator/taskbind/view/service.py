"""What is true of every generated server: its statuses, its headers and the limits of its requests.

The runtime decides these facts; tests hold what is said here against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .. import ir
from ..plan import TaskPlan


@dataclass(frozen=True)
class Status:
    """One error status: when it comes, what to do, the client's exception (or the class of it), and whether the client
    tries again."""

    code: int
    meaning: str
    remedy: str
    exception: str
    retried: bool = False


STATUSES: Final = (
    Status(
        400,
        "The body is not strict JSON, or a header has a value that it cannot have.",
        "Correct the request.",
        "BadRequestError",
    ),
    Status(
        401,
        "The server wants a token, and the request has none or a wrong one.",
        "Send `authorization: Bearer <token>`.",
        "AuthenticationError",
    ),
    Status(404, "There is no such task or model.", "Check the address, and what `/ready` lists.", "NotFoundError"),
    Status(405, "The address takes another method.", "Send `POST`.", "APIStatusError"),
    Status(408, "The body came too slowly.", "Try again.", "APIStatusError", retried=True),
    Status(
        413,
        "The body is larger than the server takes.",
        "Send less: shorter, smaller or compressed media.",
        "PayloadTooLargeError",
    ),
    Status(
        415,
        "The body is of a type that the task does not take, or it is compressed.",
        "Check `content-type` and the file, and send no `content-encoding`.",
        "UnsupportedMediaTypeError",
    ),
    Status(
        422,
        "A member is missing, unknown, of a wrong type or out of range, asks for more than this server or model gives, "
        "or its media cannot be decoded.",
        "See `fields`.",
        "UnprocessableEntityError",
    ),
    Status(
        429,
        "The queue of the model is full, or too much data waits.",
        "Try again after `retry-after` seconds.",
        "RateLimitError",
        retried=True,
    ),
    Status(
        500,
        "The model failed, or could not be loaded.",
        "Report it, with the request id.",
        "ServerError",
        retried=True,
    ),
    Status(
        503,
        "The model is still loading (`estimated_time` says how many seconds more), or the server is about to end.",
        "Try again after `retry-after` seconds, or send `x-wait-for-model: true`.",
        "ServerError",
        retried=True,
    ),
    Status(504, "The answer took too long.", "Send less at once.", "ServerError", retried=True),
)


@dataclass(frozen=True)
class Header:
    """One header; `values` is Markdown."""

    name: str
    required: str
    values: str
    default: str
    doc: str


REQUEST_HEADERS: Final = (
    Header(
        "authorization",
        "if the server has a token",
        "`Bearer <token>`",
        "",
        "Says who asks. The word `Bearer`, one blank, the token; no colon.",
    ),
    Header(
        "content-type", "no", "", "", "What the body is. Without it, the server looks at the first bytes of the body."
    ),
    Header(
        "x-use-cache",
        "no",
        "`true`, `false`",
        "true",
        "Whether an answer that was given before to the same request may be given again. `false` runs the model anew.",
    ),
    Header(
        "x-wait-for-model",
        "no",
        "`true`, `false`",
        "false",
        "What to do while the model is still loading: wait for it (`true`; for 60 seconds, unless the "
        "operator says otherwise), or answer 503 at once (`false`).",
    ),
    Header(
        "x-request-id",
        "no",
        "1 to 64 letters, digits, `_` and `-`",
        "",
        "A name of your own for this request; without one, or with another form, the server makes one.",
    ),
)
"""What requests may carry. The values of `content-type` depend on the task."""


@dataclass(frozen=True)
class Answered:
    """One header of answers."""

    name: str
    doc: str


RESPONSE_HEADERS: Final = (
    Answered("x-request-id", "The name of the request, by which the server's log knows it. On every answer."),
    Answered("x-compute-time", "Seconds since the head of the request was there. On every answer."),
    Answered("x-cache", "`hit` if the answer was given before, `miss` if not, `bypass` if nothing was looked up."),
    Answered("retry-after", "Seconds to wait before trying again, with status 429 and 503."),
)


@dataclass(frozen=True)
class Limit:
    """One limit of what a request may bring or ask for, by the `setting` that turns it.

    `what` is limited to `default` times `unit`; beyond, the answer has this `status`. It concerns requests with media
    of the kind `media`, with `texts`, or with members that have these names; every request if nothing is given.
    """

    setting: str
    what: str
    default: float
    unit: str
    status: int = 422
    media: str = ""
    texts: bool = False
    members: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """The option of ``serve`` that turns it."""
        return f"--{self.setting.replace('_', '-')}"

    @property
    def value(self) -> str:
        """The default in words: ``25,000,000 pixels``."""
        if self.unit == "bytes":
            return f"{self.default / 1_000_000:g} MB ({self.default:,.0f} bytes)"
        return f"{self.default:,.0f} {self.unit}".strip()


GRAMMARS: Final = ("grammar", "response_format", "tools")
"""Members that hold a text to a form."""

LIMITS: Final = (
    Limit("max_body", "Body, base64 included", 20_000_000, "bytes", 413),
    Limit("max_pixels", "Size of an image", 25_000_000, "pixels", media="image"),
    Limit("max_seconds", "Length of a recording", 600, "seconds", media="audio"),
    Limit("max_video_pixels", "All frames of a video together", 4_000_000_000, "pixels", media="video"),
    Limit("max_characters", "Length of a text", 200_000, "characters", texts=True),
    Limit("max_grammar", "Length of a grammar or schema for the text", 20_000, "characters", members=GRAMMARS),
    Limit("max_values", "Values in the JSON of a request", 500_000, ""),
    Limit("max_texts", "Texts in a list", 1000, "", texts=True),
    Limit("max_labels", "Labels to choose from", 256, "", members=("candidate_labels", "ignore_labels")),
    Limit("max_top_k", "Results to ask for", 1000, "", members=("top_k", "top_n_tokens", "top_logprobs")),
    Limit("max_answers", "Texts to write for one request", 8, "", members=("n", "best_of", "num_return_sequences")),
    Limit("max_beams", "Beams of a search", 16, "", members=("num_beams", "num_beam_groups")),
    Limit(
        "max_new_tokens",
        "Tokens to write",
        4096,
        "",
        members=(
            "max_tokens",
            "max_completion_tokens",
            "max_new_tokens",
            "min_new_tokens",
            "max_length",
            "min_length",
        ),
    ),
    Limit("max_steps", "Steps to make a picture in", 200, "", members=("num_inference_steps",)),
    Limit("max_side", "Width and height of a picture to make", 2048, "pixels", members=("width", "height")),
    Limit("max_frames", "Frames of a video", 257, "", members=("num_frames",)),
    Limit("deadline", "Time to answer, without loading the model", 60, "seconds", 504),
)
"""Those that an operator can turn, with the values that hold where nobody does."""

DEPTH: Final = 64
"""How many levels deep the JSON of a request may be nested (400 beyond), which no setting changes."""


def limits(api: ir.Api, task: TaskPlan) -> Iterator[Limit]:
    """The limits that a request of this task can meet."""
    media = {task.media.media} if task.media else {kind for _, kind in task.media_members}
    types = [t for id in api.reachable([task.task.input]) for t in _inside(api.definition(id).type)]
    names = {field.name for type in types if isinstance(type, ir.Object) for field in type.fields}
    texts = any(isinstance(type, ir.Scalar) and type.type == "string" for type in types)
    for limit in LIMITS:
        if limit.texts and not texts:
            continue
        if (not limit.media or limit.media in media) and (not limit.members or names & set(limit.members)):
            yield limit


def _inside(type: ir.Type) -> Iterator[ir.Type]:
    yield type
    for child in ir.children(type):
        yield from _inside(child)
