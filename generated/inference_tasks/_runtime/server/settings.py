"""What an operator may turn: by keyword in Python; by file, variable and flag for a command (see `configuration`).

Durations are in seconds, sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

MEGABYTE = 1_000_000

Level = Literal["critical", "error", "warning", "info", "debug"]
DType = Literal["float32", "bfloat16", "float16"]


def option(default: Any, about: str, *, unit: str = "", least: float = 0, secret: bool = False) -> Any:
    """A field with what is said `about` it wherever it can be set. Values below `least` are refused.

    `unit` stands for the value in a usage line. A `secret` has no flag and no place in a file.
    """
    told = {"about": about, "unit": unit, "least": least, "secret": secret}
    return field(default=default, repr=not secret, metadata=told)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request may bring or ask for, whatever its schema allows (422 beyond)."""

    max_pixels: int = option(25_000_000, "pixels of an image", unit="N", least=1)
    max_seconds: float = option(600.0, "how long a recording may be", unit="SECONDS")
    max_video_pixels: int = option(4_000_000_000, "pixels of all frames to decode of a video", unit="N", least=1)
    max_characters: int = option(200_000, "characters of a text", unit="N", least=1)
    max_grammar: int = option(20_000, "characters of a grammar or schema to hold a text to", unit="N", least=1)
    max_values: int = option(500_000, "values in a request's JSON", unit="N", least=1)
    max_texts: int = option(1000, "texts in a list", unit="N", least=1)
    max_labels: int = option(256, "labels to choose from", unit="N", least=1)
    max_top_k: int = option(1000, "what top_k may be", unit="N", least=1)
    max_answers: int = option(8, "texts to write for one request (n, best_of)", unit="N", least=1)
    max_beams: int = option(16, "beams of a search", unit="N", least=1)
    max_new_tokens: int = option(4096, "tokens to write", unit="N", least=1)
    max_steps: int = option(200, "steps to make a picture in (num_inference_steps)", unit="N", least=1)
    max_side: int = option(2048, "width and height of a picture to make, in pixels", unit="N", least=1)
    max_frames: int = option(257, "frames of a video to make or to look at", unit="N", least=1)


UNSET = Limits()
"""What holds where no operator has said anything."""


@dataclass(frozen=True, kw_only=True)
class Settings(Limits):
    """How an application behaves."""

    token: str | None = option(None, "a bearer token that inference requests may carry", secret=True)
    token_file: Path | None = option(  # noqa: RUF009 - a field, like all here
        None, "a file with one such token a line, read again when it changes", unit="PATH"
    )
    max_body: int = option(20 * MEGABYTE, "the largest request body (413 beyond)", unit="BYTES")
    receive_timeout: float = option(60.0, "how long a client may take to send its body (408 after)", unit="SECONDS")
    max_pending: int = option(
        1_000 * MEGABYTE, "how much unanswered requests may hold together, decoded (429 beyond)", unit="BYTES"
    )
    max_queue: int = option(256, "how many requests may wait for one model (429 beyond)", unit="N", least=1)
    deadline: float = option(
        60.0,
        "how long a request, or each step of a stream, may take from its last byte on, without loading (504 after)",
        unit="SECONDS",
    )
    load_timeout: float = option(60.0, "how long `x-wait-for-model: true` waits (503 after)", unit="SECONDS")
    lazy: bool = option(False, "load a model when it is first asked for, instead of at the start")
    unload_after: float = option(0.0, "unload a model that was not asked for so long; 0: never", unit="SECONDS")
    max_model_memory: int = option(
        0, "unload what was not used for longest when the weights of all models take more; 0: never", unit="BYTES"
    )
    cache_size: int = option(64 * MEGABYTE, "how much memory kept answers may take; 0 keeps none", unit="BYTES")
    cache_ttl: float = option(3600.0, "how long an answer is kept", unit="SECONDS")
    fetch: tuple[str, ...] = option(
        (),
        "a host (or an address or network, if it is not public) that media may be fetched from when a request has a "
        "URL instead of base64, or * for any public one; repeat for more",
        unit="HOST",
    )
    fetch_timeout: float = option(10.0, "how long fetching a request's media may take", unit="SECONDS", least=0.1)
    decode_threads: int = option(2, "how many media are decoded at once", unit="N", least=1)
    cors: tuple[str, ...] = option(
        (), "an origin whose pages may ask this server, or *; repeat for more", unit="ORIGIN"
    )
    pages: bool = option(True, "serve pages for people, without a token: /docs, /playground and the examples' /samples")
    tracing: bool = option(False, "make an OpenTelemetry span of each request (needs the extra otel)")

    @property
    def limits(self) -> Limits:
        """The limits alone, for handlers."""
        return Limits(**{limit.name: getattr(self, limit.name) for limit in fields(Limits)})


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What there is on Ray Serve of a whole server, or of a model that says so; ``serve`` is one process."""

    replicas: int | None = option(None, "how many replicas Ray Serve runs, at least (by default 1)", unit="N", least=1)
    max_replicas: int | None = option(None, "how many there may be under load (by default no more)", unit="N", least=1)
    cpus: float | None = option(None, "cores that a replica takes (by default as many as threads)", unit="N")
    gpus: float | None = option(None, "GPUs that a replica takes; two share one that take 0.5", unit="N")
    memory: int | None = option(None, "memory that a replica needs (by default not said)", unit="BYTES")

    @property
    def scaled(self) -> bool:
        """Whether anything is said."""
        return any(getattr(self, field.name) is not None for field in fields(Resources))


@dataclass(frozen=True, kw_only=True)
class Model(Resources):
    """One model of a configuration file, a table in ``[[models]]``; what is left out is as for all models."""

    task: str = option("", "the task that it answers")
    directory: Path = option(Path(), "where it is", unit="DIR")  # noqa: RUF009 - a field, like all here
    name: str = option("", "what /models/{name} calls it (by default the task, or the directory if that is taken)")
    device: str | None = option(None, "where it runs: cpu, cuda, cuda:1, mps")
    dtype: DType | None = option(None, "the numbers that it computes with")  # noqa: RUF009 - a field, like all here
    compile: bool | None = option(None, "whether torch compiles it")
    threads: int | None = option(None, "how many threads torch may use for it", unit="N", least=1)
    max_batch: int | None = option(None, "how many requests are answered at once", unit="N", least=1)
    lazy: bool | None = option(None, "load it when it is first asked for")


@dataclass(frozen=True, kw_only=True)
class Serving(Settings, Resources):
    """How a process behaves that serves an application."""

    host: str = option("127.0.0.1", "the address to listen on")
    port: int = option(8000, "the port to listen on; 0 takes any free one")
    grpc_port: int | None = option(
        None, "the port to speak Clarifai's gRPC on, beside HTTP; 0 takes any free one (needs the extra clarifai)"
    )
    grpc_certificate: Path | None = option(  # noqa: RUF009 - a field, like all here
        None, "a PEM file with the certificates to speak gRPC over TLS with; without it there is no TLS", unit="PATH"
    )
    grpc_key: Path | None = option(  # noqa: RUF009 - a field, like all here
        None, "a PEM file with the key of the first of them (by default it is in the same file)", unit="PATH"
    )
    models: tuple[Model, ...] = option((), "the models to serve (by default the demo models)")
    device: str | None = option(None, "where models run: cpu, cuda, cuda:1, mps (by default a GPU if there is one)")
    dtype: DType = option("float32", "the numbers that models compute with")  # noqa: RUF009 - a field, like all here
    compile: bool = option(False, "have torch compile models: faster, but for the first requests, which wait for that")
    threads: int = option(1, "torch threads a model", unit="N", least=1)
    token_env: str | None = option(None, "the environment variable that holds a token to require", unit="NAME")
    max_connections: int = option(1000, "how many clients may be connected at once (503 beyond)", unit="N", least=1)
    header_timeout: float = option(
        10.0, "how long a client may take to send the head of a request (cut off after)", unit="SECONDS", least=0.1
    )
    read_timeout: float = option(
        60.0, "how long a client may read nothing of its answer (cut off after)", unit="SECONDS", least=0.1
    )
    drain: float = option(0.0, "how long to stay, but be not ready, after SIGTERM", unit="SECONDS")
    finish: float = option(60.0, "how long requests under way may take after that", unit="SECONDS")
    log_level: Level = option("warning", "what is logged; each request is at info")  # noqa: RUF009 - a field, like all here
    log_format: Literal["text", "json"] = option("text", "lines of text, or a JSON object a line")
