"""Clarifai's own client asks a server for its models, for what they are, and for what goes wrong."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest
from clarifai_grpc.grpc.api import service_pb2 as api
from clarifai_grpc.grpc.api.resources_pb2 import (
    Data,
    Input,
    Model,
    ModelQuery,
    UserAppIDSet,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.clarifai.codes import DESCRIPTIONS, Code

from . import judge as judging
from .judge import Judge

# Clarifai's client asks descriptors what protobuf will not tell much longer.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")

WIRES = DIALECTS["clarifai"].wires
DIGITS, SENTIMENT = "image-classification", "text-classification"
SEVEN = Path(__file__).parent.parent.parent / "specs" / DIGITS / "examples" / "seven.png"
STREET = SEVEN.parent.parent.parent / "object-detection" / "examples" / "street.png"
LABELS = [str(digit) for digit in range(10)]


def text(raw: str, id: str = "") -> Input:
    return Input(id=id, data=judging.parsed({"text": {"raw": raw}}, Data))


def image(**members: str) -> Input:
    return Input(data=judging.parsed({"image": members}, Data))


def seven() -> Input:
    return image(base64=base64.b64encode(SEVEN.read_bytes()).decode())


def options(params: dict[str, Any], **place: bool) -> Model:
    return judging.parsed(judging.options(params, **place), Model)


def values(output: Any) -> dict[str, float]:
    return {concept.name: concept.value for concept in output.data.concepts}


@pytest.fixture(scope="module")
def version(judge: Judge) -> str:
    """The version of the model of digits."""
    model = judge.call("GetModel", api.GetModelRequest(model_id=DIGITS)).model
    assert len(model.model_version.id) == 32
    return str(model.model_version.id)


# ------------------------------------------------------------------------------------------------------- addresses

OWNER = UserAppIDSet(user_id="clarifai", app_id="main")
OWNED = "/v2/users/clarifai/apps/main/models"


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("versioned", [True, False])
def test_a_prediction_at_each_of_its_addresses(judge: Judge, version: str, owned: bool, versioned: bool) -> None:
    own: dict[str, Any] = {"user_app_id": OWNER} if owned else {}
    response = judge.outputs(DIGITS, seven(), **own, **({"version_id": version} if versioned else {}))
    way = f"/versions/{version}" if versioned else ""
    assert judge.path == f"{OWNED if owned else '/v2/models'}/{DIGITS}{way}/outputs"
    assert next(iter(values(response.outputs[0]))) == "7"
    model = response.outputs[0].model
    assert (model.user_id, model.app_id) == (("clarifai", "main") if owned else ("local", "main"))
    assert model.model_version.id == version


def test_a_prediction_of_a_deployment(judge: Judge) -> None:
    answer = httpx.post(
        f"{judge.url}/v2/users/clarifai/deployments/{DIGITS}/outputs",
        json={"inputs": [judging.written(seven())]},
        headers={"authorization": f"Key {judge.key}"},
        trust_env=False,
    )
    response = judging.parsed(judging.strict_json(answer.content), api.MultiOutputResponse)
    assert next(iter(values(response.outputs[0]))) == "7"


REQUESTS: dict[str, tuple[type[Message], dict[str, str]]] = {
    "ListModels": (api.ListModelsRequest, {}),
    "PostModelsSearches": (api.PostModelsSearchesRequest, {}),
    "GetModel": (api.GetModelRequest, {"model_id": DIGITS}),
    "GetModelOutputInfo": (api.GetModelRequest, {"model_id": DIGITS}),
    "ListModelVersions": (api.ListModelVersionsRequest, {"model_id": DIGITS}),
    "ListModelTypes": (api.ListModelTypesRequest, {}),
    "GetModelType": (api.GetModelTypeRequest, {"model_type_id": "visual-classifier"}),
}


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("rpc", REQUESTS)
def test_what_is_told_of_models_at_both_addresses(judge: Judge, rpc: str, owned: bool) -> None:
    message, ids = REQUESTS[rpc]
    response = judge.call(rpc, message(**ids, **({"user_app_id": OWNER} if owned else {})))
    assert (judge.status, response.status.code) == (200, Code.SUCCESS)
    assert judge.path.startswith((OWNED, "/v2/users/clarifai") if owned else ("/v2/models", "/v2/users/me"))
    assert len(response.ListFields()) == 2, "there is more than a status"


@pytest.mark.parametrize("owned", [True, False])
def test_what_is_told_of_a_version_at_both_addresses(judge: Judge, version: str, owned: bool) -> None:
    own: dict[str, Any] = {"model_id": DIGITS, **({"user_app_id": OWNER} if owned else {})}
    told = judge.call("GetModelVersion", api.GetModelVersionRequest(version_id=version, **own)).model_version
    assert (told.id, told.status.code) == (version, Code.MODEL_TRAINED)
    info = judge.call("GetModelOutputInfo", api.GetModelRequest(version_id=version, **own)).model.output_info
    assert judge.path.split("?")[0].endswith(f"/versions/{version}/output_info")
    assert {concept.name for concept in info.data.concepts} == set(LABELS)
    request = api.ListModelVersionInputExamplesRequest(model_version_id=version, **own)
    listed = judge.call("ListModelVersionInputExamples", request).model_version_input_examples
    request = api.GetModelVersionInputExampleRequest(model_version_id=version, example_id=listed[0].id, **own)
    assert judge.call("GetModelVersionInputExample", request).model_version_input_example == listed[0]


# -------------------------------------------------------------------------------------------------------- catalogue


def listed(judge: Judge, **members: Any) -> list[Any]:
    return list(judge.call("ListModels", api.ListModelsRequest(**members)).models)


def test_all_models_are_listed(judge: Judge) -> None:
    models = listed(judge)
    assert {model.task for model in models} == WIRES.keys()
    for model in models:
        assert judge.call("GetModel", api.GetModelRequest(model_id=model.id)).model.name == model.name


def test_lists_come_in_pages(judge: Judge) -> None:
    names = [model.id for model in listed(judge)]
    pages = [[model.id for model in listed(judge, page=page, per_page=7)] for page in range(1, len(names) // 7 + 3)]
    assert [name for page in pages for name in page] == names
    assert pages[0] == names[:7]
    assert pages[-1] == []


def test_lists_are_filtered(judge: Judge) -> None:
    assert {model.task for model in listed(judge, model_type_id="audio-to-text")} == {"automatic-speech-recognition"}
    assert {model.id for model in listed(judge, input_fields=["audio"], output_fields=["concepts"])} == {
        "audio-classification"
    }
    assert "zero-shot-image-classification" in {model.id for model in listed(judge, search="zero-shot")}


def test_models_are_searched_for(judge: Judge) -> None:
    query = ModelQuery(name="zero-shot*", model_type_id="visual-classifier")
    request = api.PostModelsSearchesRequest(model_query=query, pagination=api.Pagination(page=1, per_page=20))
    assert [model.id for model in judge.call("PostModelsSearches", request).models] == [
        "zero-shot-image-classification"
    ]
    none = api.PostModelsSearchesRequest(model_query=ModelQuery(name="nobody*"))
    assert list(judge.call("PostModelsSearches", none).models) == []


def test_labels_are_told(judge: Judge) -> None:
    info = judge.call("GetModelOutputInfo", api.GetModelRequest(model_id=DIGITS)).model.output_info
    assert [(concept.id, concept.name) for concept in info.data.concepts] == [(label, label) for label in LABELS]


def test_types_are_listed_with_their_models(judge: Judge) -> None:
    types = {kind.id: kind for kind in judge.call("ListModelTypes", api.ListModelTypesRequest()).model_types}
    assert types.keys() == {model.model_type_id for model in listed(judge)}
    assert list(types["visual-detector"].input_fields) == ["image"]
    assert "text" in types["audio-to-text"].output_fields


@pytest.mark.parametrize("task", sorted(WIRES))
def test_there_are_inputs_to_try_each_model_with(judge: Judge, task: str) -> None:
    version = judge.call("ListModelVersions", api.ListModelVersionsRequest(model_id=task)).model_versions[0].id
    request = api.ListModelVersionInputExamplesRequest(model_id=task, model_version_id=version)
    for example in judge.call("ListModelVersionInputExamples", request).model_version_input_examples:
        assert (example.model_id, example.model_version_id) == (task, version)
        assert example.data.ListFields()


def test_status_codes_are_those_of_the_protos(judge: Judge) -> None:
    statuses = judge.call("ListStatusCodes", api.ListStatusCodesRequest()).statuses
    names = {value.number: value.name for value in status_codes().values}
    assert {status.code: names[status.code] for status in statuses} == {code: code.name for code in Code}
    told = judge.call("GetStatusCode", api.GetStatusCodeRequest(status_code_id="21200")).status
    assert (told.code, told.description) == (21200, DESCRIPTIONS[Code.MODEL_DOES_NOT_EXIST])


def status_codes() -> Any:
    status: Descriptor = api.MultiOutputResponse.DESCRIPTOR.fields_by_name["status"].message_type
    return status.fields_by_name["code"].enum_type


# ---------------------------------------------------------------------------------------------------------- options


def test_regions_from_a_value_on_that_is_less_than_what_the_model_tells_by_itself(judge: Judge) -> None:
    street = image(base64=base64.b64encode(STREET.read_bytes()).decode())

    def found(**params: Any) -> list[float]:
        (output,) = judge.outputs("object-detection", street, model=options(params, own_fields=False)).outputs
        assert output.status.code == Code.SUCCESS, output.status
        return sorted(region.value for region in output.data.regions)

    few, many = found(), found(min_value=0.05)
    assert len(many) > len(few) > 0
    assert many[-len(few) :] == few
    assert min(many) >= 0.05


@pytest.mark.parametrize("own_fields", [True, False], ids=["output_config", "params"])
@pytest.mark.parametrize("in_version", [True, False], ids=["version", "model"])
class TestOptions:
    """Each option, at each of the places that are published for it."""

    def test_so_many_concepts(self, judge: Judge, in_version: bool, own_fields: bool) -> None:
        model = options({"max_concepts": 3}, in_version=in_version, own_fields=own_fields)
        found = values(judge.outputs(DIGITS, seven(), model=model).outputs[0])
        assert len(found) == 3
        assert list(found.values()) == sorted(found.values(), reverse=True)

    def test_concepts_from_a_value_on(self, judge: Judge, in_version: bool, own_fields: bool) -> None:
        (everything,) = judge.outputs(DIGITS, seven()).outputs
        least = sorted(values(everything).values())[-2]
        model = options({"min_value": least - 1e-6}, in_version=in_version, own_fields=own_fields)
        found = values(judge.outputs(DIGITS, seven(), model=model).outputs[0])
        assert found
        assert found == {name: value for name, value in values(everything).items() if value >= least}

    def test_selected_concepts(self, judge: Judge, in_version: bool, own_fields: bool) -> None:
        wanted = [{"name": "1"}, {"id": "7"}]
        model = options({"select_concepts": wanted}, in_version=in_version, own_fields=own_fields)
        found = values(judge.outputs(DIGITS, seven(), model=model).outputs[0])
        assert list(found) == ["7", "1"]

    def test_some_concepts_that_nobody_knows(self, judge: Judge, in_version: bool, own_fields: bool) -> None:
        wanted = [{"name": "7"}, {"name": "Seven"}]
        model = options({"select_concepts": wanted}, in_version=in_version, own_fields=own_fields)
        response = judge.outputs(DIGITS, seven(), model=model)
        assert response.outputs[0].status.code == Code.MIXED_STATUS
        assert "Seven" in response.outputs[0].status.details
        assert list(values(response.outputs[0])) == ["7"]

    @pytest.mark.parametrize(
        "wrong",
        [{"max_concepts": 201}, {"min_value": 1.5}, {"select_concepts": [{"name": "Seven"}]}, {"sample_ms": 99}],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_what_is_no_option(self, judge: Judge, in_version: bool, own_fields: bool, wrong: dict[str, Any]) -> None:
        response = judge.outputs(DIGITS, seven(), model=options(wrong, in_version=in_version, own_fields=own_fields))
        assert (judge.status, response.status.code) == (400, Code.MODEL_INVALID_ARGUMENT)
        assert next(iter(wrong)) in response.status.details or "Seven" in response.status.details


def test_what_is_said_of_the_version_wins(judge: Judge) -> None:
    both = judging.parsed(
        judging.options({"max_concepts": 5}, in_version=False) | judging.options({"max_concepts": 2}), Model
    )
    assert len(values(judge.outputs(DIGITS, seven(), model=both).outputs[0])) == 2


def test_an_option_that_the_model_has_not(judge: Judge) -> None:
    response = judge.outputs(SENTIMENT, text("fine"), model=options({"tempo": 2}))
    assert (judge.status, response.status.code) == (400, Code.MODEL_INVALID_ARGUMENT)
    assert "tempo" in response.status.details


# ----------------------------------------------------------------------------------------------------------- errors


def test_who_has_no_key(judge: Judge) -> None:
    for rpc, (message, ids) in REQUESTS.items():
        response = judge.call(rpc, message(**ids), key="another")
        assert (judge.status, response.status.code) == (401, Code.CONN_KEY_NOT_FOUND)
    request = api.PostModelOutputsRequest(model_id=DIGITS, inputs=[seven()])
    assert judge.call("PostModelOutputs", request, key="another").status.code == Code.CONN_KEY_NOT_FOUND


def test_a_model_that_is_not_there(judge: Judge, version: str) -> None:
    assert judge.outputs("nobody", text("x")).status.code == Code.MODEL_DOES_NOT_EXIST
    assert judge.status == 404
    assert judge.outputs(SENTIMENT, text("x"), version_id=version).status.code == Code.MODEL_DOES_NOT_EXIST
    assert judge.call("GetModel", api.GetModelRequest(model_id="nobody")).status.code == Code.MODEL_DOES_NOT_EXIST


def test_an_example_a_type_and_a_code_that_are_not_there(judge: Judge, version: str) -> None:
    request = api.GetModelVersionInputExampleRequest(model_id=DIGITS, model_version_id=version, example_id="none")
    assert judge.call("GetModelVersionInputExample", request).status.code == Code.INPUT_DOES_NOT_EXIST
    request = api.GetModelTypeRequest(model_type_id="none")
    assert judge.call("GetModelType", request).status.code == Code.CONN_DOES_NOT_EXIST
    request = api.GetStatusCodeRequest(status_code_id="7")
    assert judge.call("GetStatusCode", request).status.code == Code.CONN_DOES_NOT_EXIST


@pytest.mark.parametrize("count", [0, 129])
def test_too_few_and_too_many_inputs(judge: Judge, count: int) -> None:
    response = judge.outputs(SENTIMENT, *[text("fine")] * count)
    assert (judge.status, response.status.code) == (400, Code.PREDICT_INVALID_REQUEST)
    assert not response.outputs


def test_as_many_inputs_as_there_may_be(judge: Judge) -> None:
    response = judge.outputs(SENTIMENT, *[text(f"film {index}", id=f"{index}") for index in range(128)])
    assert response.status.code == Code.SUCCESS
    assert [output.input.id for output in response.outputs] == [f"{index}" for index in range(128)]


def test_some_inputs_that_cannot_be_answered(judge: Judge, site: Any) -> None:
    missing, other = site("/none.png", None), site("/other.png", b"no picture")
    inputs = [
        seven(),
        image(url=missing),
        Input(),
        image(base64=base64.b64encode(b"no picture").decode()),
        text("no picture"),
        image(url=other),
        image(url=site("/seven.png", SEVEN.read_bytes())),
        image(url="ftp://127.0.0.1/seven.png"),
    ]
    response = judge.outputs(DIGITS, *inputs)
    assert (judge.status, response.status.code) == (200, Code.MIXED_STATUS)
    assert [output.status.code for output in response.outputs] == [
        Code.SUCCESS,
        Code.INPUT_DOWNLOAD_FAILED,
        Code.INPUT_INVALID_ARGUMENT,
        Code.ALL_INPUT_INVALID_BYTES,
        Code.INPUT_UNSUPPORTED_FORMAT,
        Code.ALL_INPUT_INVALID_BYTES,
        Code.SUCCESS,
        Code.INPUT_INVALID_URL,
    ]
    answered = [output for output in response.outputs if output.status.code == Code.SUCCESS]
    assert answered[0].data == answered[1].data
    assert all(output.data == Data() for output in response.outputs if output not in answered)
    assert "404" in response.outputs[1].status.details
    assert response.outputs[1].input.data.image.url == missing


def test_no_input_that_can_be_answered(judge: Judge) -> None:
    response = judge.outputs(DIGITS, text("no picture"), Input())
    assert (judge.status, response.status.code) == (400, Code.FAILURE)
    assert [output.status.code for output in response.outputs] == [
        Code.INPUT_UNSUPPORTED_FORMAT,
        Code.INPUT_INVALID_ARGUMENT,
    ]
