"""The tokens that open the server: one from the settings, and those of a file that may change while it runs."""

from __future__ import annotations

import hmac
import logging
import os
import time
from hashlib import sha256
from pathlib import Path

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0


class Tokens:
    """The digests of all tokens. Used from the event loop only.

    The file holds one token a line; empty lines and those that begin with ``#`` mean nothing. It is looked at once a
    second at most, when a request comes; while it cannot be read, the tokens of before are valid.
    """

    def __init__(self, token: str | None, file: Path | None) -> None:
        """Raises ValueError for an unreadable file, and for one without tokens, which would let nobody in."""
        self._own = [] if token is None else [_digest(token.encode())]
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._checked = time.monotonic()
        self._digests = list(self._own)
        if file is not None:
            try:
                self._seen = _state(file)
                self._digests += _read(file)
            except OSError as error:
                raise ValueError(f"token_file: {file}: {(error.strerror or str(error)).lower()}") from None
            if not self._digests:
                raise ValueError(f"token_file: {file}: holds no token, so nobody could be answered")

    @property
    def wanted(self) -> bool:
        """Whether a request needs a token at all."""
        return bool(self._own) or self._file is not None

    def owner(self, token: bytes) -> bytes | None:
        """The digest of `token` if it is one of ours, None otherwise; takes one time for all tokens."""
        self._refresh()
        digest, found = _digest(token), None
        # Digests of one length take one time to compare, whatever was sent; and every one of them is compared.
        for known in self._digests:
            if hmac.compare_digest(digest, known):
                found = known
        return found

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._file is None or now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        try:
            state = _state(self._file)
            if state == self._seen:
                return
            self._digests = [*self._own, *_read(self._file)]
            self._seen = state
        except OSError as error:
            log.error("%s cannot be read (%s): the tokens of before stay valid", self._file, error.strerror)
            return
        log.warning("%s was read again: it holds %d tokens", self._file, len(self._digests) - len(self._own))


def _state(file: Path) -> tuple[int, int, int]:
    found = os.stat(file)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: Path) -> list[bytes]:
    lines = (line.strip() for line in file.read_bytes().splitlines())
    return [_digest(line) for line in lines if line and not line.startswith(b"#")]


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()
