"""Clarifai's gRPC service, called by its own client: with TLS and without, with whatever can go wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_code_pb2
from google.protobuf.struct_pb2 import Struct

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.server.clarifai.grpc import grpc_server
from inference_tasks._runtime.server.clarifai.problems import Problem
from inference_tasks._runtime.server.clarifai.protobuf import Method
from inference_tasks._runtime.server.ports import PortError
from inference_tasks._runtime.server.problems import RequestProblem
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import create_app
from tests.server.live import picture, until

from .asking import Boxes, Scores, Shown
from .calling import CERTIFICATE, KEY, KNOCK, Call, Calling, Request, calling, concepts, refused, texts

PREDICT = "/clarifai.api.V2/PostModelOutputs"


@pytest.fixture(scope="module")
def live() -> Iterator[Calling]:
    with calling(Scores(), Shown(), Boxes()) as found:
        yield found


@pytest.mark.parametrize("secure", [True, False])
def test_it_speaks_with_and_without_tls(call: Call, secure: bool) -> None:
    live = call(Scores(), token=KEY, **{"grpc_certificate": CERTIFICATE} if secure else {})
    answer = live.predict("text-classification", *texts("dog=0.5 cat=0.75"))
    assert answer.status.code == status_code_pb2.SUCCESS
    assert concepts(answer.outputs[0]) == [("cat", 0.75), ("dog", 0.5)]
    other = ClarifaiChannel.get_insecure_grpc_channel(base=live.address.rpartition(":")[0], port=live.address[-5:])
    with other:
        if secure:  # nobody gets an answer who does not speak it
            call_it = service_pb2_grpc.V2Stub(other).PostModelOutputs
            refused(grpc.StatusCode.UNAVAILABLE, lambda: call_it(Request(), timeout=5))


def test_what_was_answered_by_http_is_known_by_grpc(call: Call) -> None:
    handler = Scores()
    live = call(handler)
    body = {"inputs": [{"data": {"text": {"raw": "cat=0.5"}}}]}
    url = f"{live.url}/v2/models/text-classification/outputs"
    by_http = httpx.post(url, json=body, trust_env=False).json()["outputs"][0]
    by_grpc = live.predict("text-classification", *texts("cat=0.5")).outputs[0]
    assert handler.batches == [["cat=0.5"]]
    assert concepts(by_grpc) == [(concept["name"], concept["value"]) for concept in by_http["data"]["concepts"]]
    assert (by_grpc.model.id, by_grpc.model.model_version.id) == (
        by_http["model"]["id"],
        by_http["model"]["model_version"]["id"],
    )


def test_all_kinds_of_calls_are_answered(live: Calling) -> None:
    model = live.stub.GetModel(service_pb2.GetModelRequest(model_id="text-classification")).model
    version = {"model_id": model.id, "model_version_id": model.model_version.id}
    examples = live.stub.ListModelVersionInputExamples(service_pb2.ListModelVersionInputExamplesRequest(**version))
    example = examples.model_version_input_examples[0].id
    search = resources_pb2.ModelQuery(name="text*")
    asked = {
        "ListModels": service_pb2.ListModelsRequest(page=1, per_page=2),
        "PostModelsSearches": service_pb2.PostModelsSearchesRequest(model_query=search),
        "GetModelOutputInfo": service_pb2.GetModelRequest(model_id=model.id),
        "ListModelVersions": service_pb2.ListModelVersionsRequest(model_id=model.id),
        "GetModelVersion": service_pb2.GetModelVersionRequest(model_id=model.id, version_id=model.model_version.id),
        "ListModelTypes": service_pb2.ListModelTypesRequest(),
        "GetModelType": service_pb2.GetModelTypeRequest(model_type_id=model.model_type_id),
        "GetModelVersionInputExample": service_pb2.GetModelVersionInputExampleRequest(**version, example_id=example),
        "ListStatusCodes": service_pb2.ListStatusCodesRequest(),
        "GetStatusCode": service_pb2.GetStatusCodeRequest(status_code_id="21200"),
    }
    found = {rpc: getattr(live.stub, rpc)(request, timeout=20) for rpc, request in asked.items()}
    assert found.pop("GetStatusCode").status.code == status_code_pb2.MODEL_DOES_NOT_EXIST
    assert {answer.status.code for answer in found.values()} == {status_code_pb2.SUCCESS}, found
    assert len(found["ListModels"].models) == 2
    assert [other.id for other in found["PostModelsSearches"].models] == [model.id]
    labels = [concept.id for concept in found["GetModelOutputInfo"].model.output_info.data.concepts]
    assert labels == ["cat", "dog", "fox", "none"]


def test_options_reach_the_model_from_both_places(live: Calling) -> None:
    config = resources_pb2.OutputConfig(max_concepts=3, min_value=0.25)
    model = resources_pb2.Model(output_info=resources_pb2.OutputInfo(output_config=config))
    every = "cat=0.75 dog=0.5 fox=0.25 none=0.125"
    answer = live.predict("text-classification", *texts(every), model=model)
    assert concepts(answer.outputs[0]) == [("cat", 0.75), ("dog", 0.5), ("fox", 0.25)]
    params = Struct()
    params.update({"max_concepts": 2})
    model.model_version.output_info.params.CopyFrom(params)
    answer = live.predict("text-classification", *texts(every), model=model)
    assert concepts(answer.outputs[0]) == [("cat", 0.75), ("dog", 0.5)]


def test_pictures_have_boxes_and_no_bytes_come_back(live: Calling) -> None:
    image = resources_pb2.Image(base64=picture(size=(40, 20)))
    answer = live.predict("object-detection", resources_pb2.Input(id="mine", data=resources_pb2.Data(image=image)))
    (output,) = answer.outputs
    assert answer.status.code == status_code_pb2.SUCCESS, answer
    (cat,) = [region for region in output.data.regions if region.data.concepts[0].name == "cat"]
    box = cat.region_info.bounding_box
    assert (box.top_row, box.left_col, box.bottom_row, box.right_col) == (0, 0, 1, 0.5)
    assert output.input.id == "mine"
    assert image.base64 not in answer.SerializeToString()


def test_outputs_fail_one_by_one_in_order(live: Calling) -> None:
    good, other = texts("cat=0.5", "dog=0.5")
    answer = live.predict("text-classification", good, resources_pb2.Input(id="empty"), *texts("refuse"), other)
    assert answer.status.code == status_code_pb2.MIXED_STATUS
    codes = [output.status.code for output in answer.outputs]
    assert codes[0] == codes[3] == status_code_pb2.SUCCESS
    assert codes[1] == status_code_pb2.INPUT_INVALID_ARGUMENT
    assert codes[2] not in (status_code_pb2.SUCCESS, status_code_pb2.INTERNAL_UNCATEGORIZED)
    assert [concepts(answer.outputs[index]) for index in (0, 3)] == [[("cat", 0.5)], [("dog", 0.5)]]


def test_many_outputs_keep_their_order(live: Calling) -> None:
    answer = live.predict("text-classification", *texts(*(f"cat={number / 128}" for number in range(128))))
    assert answer.status.code == status_code_pb2.SUCCESS
    assert [concepts(output) for output in answer.outputs] == [[("cat", number / 128)] for number in range(128)]


def test_what_is_wrong_is_a_status_in_the_answer(live: Calling) -> None:
    assert live.predict("nobody").status.code == status_code_pb2.MODEL_DOES_NOT_EXIST
    many = live.predict("text-classification", *texts(*(["x"] * 129)))
    assert many.status.code == status_code_pb2.PREDICT_INVALID_REQUEST
    crashed = live.predict("text-classification", *texts("crash"))
    assert crashed.outputs[0].status.code == status_code_pb2.MODEL_PREDICTION_FAILED
    assert "secret" not in str(crashed)
    broken = live.channel.unary_unary(PREDICT)(b"\xff\xff\xff", timeout=20)
    told = service_pb2.MultiOutputResponse.FromString(broken).status
    assert told.code == status_code_pb2.CONN_BAD_REQUEST_FORMAT


def test_what_no_message_can_hold_is_an_error_of_the_servers(live: Calling, caplog: pytest.LogCaptureFixture) -> None:
    told = refused(grpc.StatusCode.INTERNAL, lambda: live.predict("text-classification", *texts("cat=1e300")))
    assert told == "internal error"
    assert "ParseError" in caplog.text
    assert live.predict("text-classification", *texts("cat=1")).status.code == status_code_pb2.SUCCESS


@pytest.mark.parametrize("key", [(), (("authorization", "Key wrong"),), (("authorization", f"Bearer {KEY}"),)])
def test_nobody_is_answered_without_the_key(call: Call, key: Any) -> None:
    live = call(Scores(), token=KEY)
    answer = live.predict("text-classification", *texts("cat=1"), key=key)
    assert answer.status.code in (status_code_pb2.CONN_KEY_NOT_FOUND, status_code_pb2.CONN_KEY_INVALID)
    assert not answer.outputs
    assert live.predict("text-classification", *texts("cat=1")).status.code == status_code_pb2.SUCCESS


def test_other_methods_are_not_implemented(live: Calling) -> None:
    refused(grpc.StatusCode.UNIMPLEMENTED, lambda: live.stub.ListConcepts(service_pb2.ListConceptsRequest()))
    refused(grpc.StatusCode.UNIMPLEMENTED, lambda: list(live.stub.GenerateModelOutputs(Request())))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_may_have_so_many_bytes(call: Call, compression: grpc.Compression) -> None:
    live = call(Scores(), max_body=100_000)
    asked = Request(model_id="text-classification", inputs=texts("x" * 100_000))
    predict = live.stub.PostModelOutputs
    refused(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: predict(asked, compression=compression, timeout=20))
    asked = Request(model_id="text-classification", inputs=texts("cat=0.5 " + "x" * 90_000))
    assert concepts(predict(asked, compression=compression, timeout=20).outputs[0]) == [("cat", 0.5)]


class Looked(bytes):
    """Bytes that know how many of them were looked at."""

    looks = 0

    def __getitem__(self, place: Any) -> Any:
        self.looks += 1
        return super().__getitem__(place)


def test_a_number_without_an_end_is_given_up_at_once() -> None:
    """Each byte more would make the number that is computed with larger, and a megabyte take a minute."""
    endless = Looked(b"\xff" * 1_000_000)
    with pytest.raises(Problem, match="not valid"):
        Method("PostModelOutputs").request(endless, 1000)
    assert endless.looks == 10


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1])
def test_numbers_of_every_length_are_passed_over(number: int) -> None:
    """Else the values behind them would not be counted."""
    selected = [{"value": 1.0}] * 1000
    message = service_pb2.PostModelOutputsRequest(inputs=[{"data": {"concepts": selected}}])
    head = encoded(1000 << 3) + encoded(number)  # a field that the message does not have
    with pytest.raises(RequestProblem, match="more than 1000 values"):
        Method("PostModelOutputs").request(head + message.SerializeToString(), 1000)


def encoded(number: int) -> bytes:
    """The number as protocol buffers have it."""
    told = []
    while number > 0x7F:
        told.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*told, number])


def nothing_but_values(field: str, count: int) -> Request:
    values = {"inputs": [resources_pb2.Input()] * count} if field == "inputs" else {}
    asked = Request(model_id="text-classification", **values)
    if field == "params":
        asked.model.output_info.params.update({"many": [None] * count})
    if field == "vector":
        asked.inputs.add().data.embeddings.add().vector.extend([0.5] * count)
    return asked


@pytest.mark.parametrize("field", ["inputs", "params", "vector"])
def test_a_message_may_have_so_many_values(call: Call, field: str) -> None:
    live = call(Scores(), max_values=1000)
    answer = live.stub.PostModelOutputs(nothing_but_values(field, 1001), timeout=20)
    assert answer.status.code == status_code_pb2.PREDICT_INVALID_REQUEST
    assert "more than 1000 values" in answer.status.details
    answer = live.stub.PostModelOutputs(nothing_but_values(field, 300), timeout=20)
    assert "values" not in answer.status.details


def test_many_calls_at_once_are_answered_together(call: Call) -> None:
    handler = Scores(max_batch=16)
    live = call(handler)
    first = live.stub.PostModelOutputs.future(Request(model_id="text-classification", inputs=texts("hold")))
    assert handler.gate.entered.wait(20)
    asked = [Request(model_id="text-classification", inputs=texts(f"cat={number / 64}")) for number in range(32)]
    others = [live.stub.PostModelOutputs.future(request) for request in asked]
    until(lambda: live.waiting() == 32)
    handler.gate.opened.set()
    assert [concepts(other.result(20).outputs[0]) for other in others] == [[("cat", n / 64)] for n in range(32)]
    assert first.result(20).status.code == status_code_pb2.SUCCESS
    assert [len(batch) for batch in handler.batches] == [1, 16, 16]


@pytest.mark.parametrize("leave", ["cancels", "is late", "hangs up"])
def test_who_leaves_is_not_computed_for(call: Call, leave: str) -> None:
    handler = Scores()
    live = call(handler)
    first = live.stub.PostModelOutputs.future(Request(model_id="text-classification", inputs=texts("hold")))
    assert handler.gate.entered.wait(20)
    with ClarifaiChannel.get_insecure_grpc_channel(*live.address.split(":")) as channel:
        asked = Request(model_id="text-classification", inputs=texts("cat=0.5"))
        stub = service_pb2_grpc.V2Stub(channel)
        other = stub.PostModelOutputs.future(asked, timeout=1 if leave == "is late" else None)
        until(lambda: live.waiting() == 1)
        if leave == "cancels":
            other.cancel()
        elif leave == "is late":
            assert other.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: 'inference_requests_total{model="text-classification",status="499"} 1.0' in live.metrics())
    handler.gate.opened.set()
    assert first.result(20).status.code == status_code_pb2.SUCCESS
    assert live.predict("text-classification", *texts("dog=1")).status.code == status_code_pb2.SUCCESS
    assert ["cat=0.5"] not in handler.batches


def test_a_message_must_come_and_in_time(call: Call) -> None:
    live = call(Scores(), receive_timeout=0.2)
    silent = threading.Event()

    def nothing() -> Iterator[bytes]:
        silent.wait(20)
        yield from ()

    late = live.channel.stream_unary(PREDICT)(nothing(), timeout=20)
    assert service_pb2.MultiOutputResponse.FromString(late).status.code == status_code_pb2.RPC_REQUEST_TIMEOUT
    silent.set()
    refused(grpc.StatusCode.CANCELLED, lambda: live.channel.stream_unary(PREDICT)(iter(()), timeout=20))
    assert live.predict("text-classification", *texts("cat=1")).status.code == status_code_pb2.SUCCESS


def test_what_is_still_arriving_has_a_bound_too(call: Call) -> None:
    live = call(Scores(), max_body=1000, max_pending=1000)
    silent = threading.Event()

    def nothing() -> Iterator[bytes]:
        silent.wait(20)
        yield from ()

    first = live.channel.stream_unary(PREDICT).future(nothing(), timeout=20)
    until(lambda: vars(live.server)["_arriving"].locked())
    asked = Request(model_id="text-classification", inputs=texts("cat=0.5"))
    second = live.stub.PostModelOutputs.future(asked, timeout=20)
    with pytest.raises(grpc.FutureTimeoutError):
        second.result(0.3)
    silent.set()
    assert concepts(second.result(20).outputs[0]) == [("cat", 0.5)]
    assert first.code() is grpc.StatusCode.CANCELLED


def test_so_many_calls_may_be_under_way(call: Call) -> None:
    handler = Scores()
    live = call(handler, max_connections=1)
    first = live.stub.PostModelOutputs.future(Request(model_id="text-classification", inputs=texts("hold")))
    assert handler.gate.entered.wait(20)
    refused(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: live.predict("text-classification", *texts("cat=1")))
    handler.gate.opened.set()
    assert first.result(20).status.code == status_code_pb2.SUCCESS


def test_a_model_that_is_late_is_told(call: Call) -> None:
    handler = Scores()
    live = call(handler, deadline=0.2)
    answer = live.predict("text-classification", *texts("hold"))
    handler.gate.opened.set()
    assert answer.status.code == status_code_pb2.RPC_REQUEST_TIMEOUT


def test_calls_are_counted_and_logged_without_what_they_hold(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    live = call(Scores(), token=KEY)
    asked = Request(model_id="text-classification", inputs=texts("cat=0.5 private"))
    metadata = (*KNOCK, ("x-request-id", "mine"))
    with caplog.at_level("INFO", "inference_tasks"):
        answer, about = live.stub.PostModelOutputs.with_call(asked, metadata=metadata, timeout=20)
    assert answer.status.req_id == "mine"
    assert ("x-request-id", "mine") in about.trailing_metadata()
    (fields,) = [record.fields for record in caplog.records if hasattr(record, "fields")]
    said = {name: fields[name] for name in ("request_id", "method", "route", "model", "status", "batch")}
    assert said == {
        "request_id": "mine",
        "method": "POST",
        "route": PREDICT,
        "model": "text-classification",
        "status": 200,
        "batch": 1,
    }
    assert "private" not in caplog.text
    assert KEY not in caplog.text
    assert 'inference_requests_total{model="text-classification",status="200"} 1.0' in live.metrics()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"grpc_key": CERTIFICATE}, "grpc_key: is of no use without grpc_certificate"),
        ({"grpc_certificate": Path("none.pem")}, "none.pem: no such file or directory"),
        ({"grpc_certificate": Path(__file__)}, "test_grpc.py hold no certificate and its key as PEM"),
    ],
)
def test_a_certificate_that_cannot_be_is_told(files: dict[str, Path], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        grpc_server(create_app([Scores()]), "inference_tasks", DIALECTS, Serving(grpc_port=0, **files))  # type: ignore[arg-type] # paths


def test_a_port_is_taken_once(live: Calling) -> None:
    settings = Serving(grpc_port=int(live.address.rpartition(":")[2]))
    with pytest.raises(PortError, match=r"cannot listen on 127\.0\.0\.1:\d+: address already in use"):
        grpc_server(create_app([Scores()]), "inference_tasks", DIALECTS, settings)


def test_a_package_without_the_dialect_has_none() -> None:
    with pytest.raises(ValueError, match=r"grpc_port: this package has no dialect of Clarifai's protocol"):
        grpc_server(create_app([Scores()]), "inference_tasks", {"openai": DIALECTS["openai"]}, Serving(grpc_port=0))
