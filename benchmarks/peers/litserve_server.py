"""A model behind LitServe: ``python litserve_server.py TASK DIRECTORY PORT BATCH``; a BATCH of 1 batches nothing.

As its documentation has it for throughput: a largest batch, and a short time to wait for it to fill.
"""

from __future__ import annotations

import sys
from typing import Any

import litserve
from model import load

TASK, DIRECTORY, PORT, BATCH = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
WAIT = 0.002


class Classifier(litserve.LitAPI):
    """Takes ``{"inputs": text}``."""

    def setup(self, device: str) -> None:
        self.model = load(TASK, DIRECTORY)

    def decode_request(self, request: dict[str, str]) -> str:
        return request["inputs"]

    def predict(self, inputs: Any) -> Any:
        return self.model(inputs) if BATCH > 1 else self.model([inputs])[0]

    def encode_response(self, output: Any) -> Any:
        return output


if __name__ == "__main__":
    batching = {"max_batch_size": BATCH, "batch_timeout": WAIT} if BATCH > 1 else {}
    server = litserve.LitServer(Classifier(**batching), accelerator="cpu", timeout=60)
    server.run(host="127.0.0.1", port=PORT, log_level="error", generate_client_file=False)
