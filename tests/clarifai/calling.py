"""A server that speaks gRPC, in a thread, and Clarifai's own client of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.server.clarifai.grpc import GrpcServer, grpc_server
from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.server.run import DrainingServer, config_of
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import Handler, create_app
from tests.server.live import until

CERTIFICATE = Path(__file__).parents[1] / "client" / "localhost.pem"
KEY = "a-key-of-the-tests"
KNOCK = (("authorization", f"Key {KEY}"),)
START_SECONDS = 120

# Whatever stands between this machine and others, nothing does between it and itself.
os.environ["no_grpc_proxy"] = "127.0.0.1,localhost"  # noqa: SIM112 - so gRPC calls it

Request = service_pb2.PostModelOutputsRequest


@dataclass
class Calling:
    """A running server: its application, its addresses, and a stub of Clarifai's client."""

    app: Any
    url: str
    address: str
    channel: grpc.Channel
    stub: Any
    server: GrpcServer

    def predict(self, model_id: str, *inputs: resources_pb2.Input, key: Any = KNOCK, **members: Any) -> Any:
        return self.stub.PostModelOutputs(
            Request(model_id=model_id, inputs=inputs, **members), metadata=key, timeout=20
        )

    def waiting(self) -> int:
        """How many calls wait for a model."""
        return sum(len(host.batcher) for host in self.app.state.server.hosts)

    def metrics(self) -> str:
        return str(self.app.state.server.engine.metrics.text().decode())


@contextmanager
def calling(*handlers: Handler[Any, Any, Any], **options: Any) -> Iterator[Calling]:
    """A server of `handlers` in a thread, which ends with the block."""
    settings = Serving(grpc_port=0, **options)
    app = create_app(handlers, settings=settings)
    by_grpc = grpc_server(app, "inference_tasks", DIALECTS, settings)
    socket = listen("127.0.0.1", 0)
    server = DrainingServer(config_of(app, settings), app, 0, by_grpc)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    base, _, port = by_grpc.address.rpartition(":")
    if settings.grpc_certificate is None:
        channel = ClarifaiChannel.get_insecure_grpc_channel(base=base, port=port)
    else:
        channel = ClarifaiChannel.get_grpc_channel(
            by_grpc.address, root_certificates_path=os.fspath(settings.grpc_certificate)
        )
    with channel:
        until(lambda: server.started and all(host.state == "ready" for host in app.state.server.hosts), START_SECONDS)
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        try:
            yield Calling(app, url, by_grpc.address, channel, service_pb2_grpc.V2Stub(channel), by_grpc)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


Call = Callable[..., Calling]


def texts(*said: str) -> list[resources_pb2.Input]:
    return [resources_pb2.Input(data=resources_pb2.Data(text=resources_pb2.Text(raw=text))) for text in said]


def concepts(output: Any) -> list[tuple[str, float]]:
    return [(concept.name, pytest.approx(concept.value)) for concept in output.data.concepts]


def refused(code: grpc.StatusCode, function: Callable[[], Any]) -> str:
    """What gRPC says of a call that it does not even pass on, or breaks off."""
    with pytest.raises(grpc.RpcError) as caught:
        function()
    assert caught.value.code() is code, caught.value
    return str(caught.value.details())
