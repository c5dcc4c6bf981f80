"""What an operator may turn: by keyword in Python; by file, variable and flag for a command (see `configuration`).

Durations are in seconds, sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

MEGABYTE = 1_000_000

Level = Literal["critical", "error", "warning", "info", "debug"]


def option(default: Any, about: str, *, unit: str = "", least: float = 0, secret: bool = False) -> Any:
    """A field with what is said `about` it wherever it can be set. Values below `least` are refused.

    `unit` stands for the value in a usage line. A `secret` has no flag and no place in a file.
    """
    told = {"about": about, "unit": unit, "least": least, "secret": secret}
    return field(default=default, repr=not secret, metadata=told)


@dataclass(frozen=True, kw_only=True)
class Settings:
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
        60.0, "how long a request may take from its last byte on, without loading (504 after)", unit="SECONDS"
    )
    load_timeout: float = option(60.0, "how long `x-wait-for-model: true` waits (503 after)", unit="SECONDS")
    lazy: bool = option(False, "load a model when it is first asked for, instead of at the start")
    unload_after: float = option(0.0, "unload a model that was not asked for so long; 0: never", unit="SECONDS")
    max_model_memory: int = option(
        0, "unload what was not used for longest when the weights of all models take more; 0: never", unit="BYTES"
    )
    cache_size: int = option(64 * MEGABYTE, "how much memory kept answers may take; 0 keeps none", unit="BYTES")
    cache_ttl: float = option(3600.0, "how long an answer is kept", unit="SECONDS")
    decode_threads: int = option(2, "how many media are decoded at once", unit="N", least=1)
    cors: tuple[str, ...] = option(
        (), "an origin whose pages may ask this server, or *; repeat for more", unit="ORIGIN"
    )
    tracing: bool = option(False, "make an OpenTelemetry span of each request (needs the extra otel)")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of a configuration file, a table in ``[[models]]``; what is left out is as for all models."""

    task: str = option("", "the task that it answers")
    directory: Path = option(Path(), "where it is", unit="DIR")  # noqa: RUF009 - a field, like all here
    name: str = option("", "what /models/{name} calls it (by default the task, or the directory if that is taken)")
    device: str | None = option(None, "where it runs: cpu, cuda, cuda:1, mps")
    threads: int | None = option(None, "how many threads torch may use for it", unit="N", least=1)
    max_batch: int | None = option(None, "how many requests are answered at once", unit="N", least=1)
    lazy: bool | None = option(None, "load it when it is first asked for")


@dataclass(frozen=True, kw_only=True)
class Serving(Settings):
    """How a process behaves that serves an application."""

    host: str = option("127.0.0.1", "the address to listen on")
    port: int = option(8000, "the port to listen on; 0 takes any free one")
    models: tuple[Model, ...] = option((), "the models to serve (by default the embedded demo models)")
    device: str | None = option(None, "where models run: cpu, cuda, cuda:1, mps (by default a GPU if there is one)")
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
