"""Models as Clarifai's protocol describes them: found, listed, searched, with versions, types, labels and examples."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest
from clarifai_grpc.grpc.api import service_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.clarifai.codes import Code
from inference_tasks._runtime.server.clarifai.catalogue import Catalogue, Served
from inference_tasks._runtime.server.clarifai.kinds import Kind, kind_of
from inference_tasks._runtime.server.clarifai.listing import matches
from inference_tasks._runtime.server.clarifai.problems import Problem
from inference_tasks._runtime.server.host import ModelHost
from inference_tasks._runtime.server.metrics import Metrics
from inference_tasks._runtime.server.settings import Settings
from inference_tasks._tasks import TASKS
from inference_tasks.server import Handler
from tests.server.live import Gate, Serve

from .judge import not_shown, parsed

PACKAGE = "inference_tasks"
CLARIFAI = DIALECTS["clarifai"]
RPCS = service_pb2.DESCRIPTOR.services_by_name["V2"].methods_by_name
PETS = ("cat", "dog")
GERMAN = MappingProxyType({"cat": "Katze"})
THREADS = ThreadPoolExecutor(1)
HOSTS: list[ModelHost] = []


class Mine(Handler[Any, Any, Any]):
    """A model for any task."""

    def __init__(self, task: str, name: str = "", broken: bool = False) -> None:
        self.binding = TASKS[task]
        self.name = name
        self._broken = broken

    def load(self) -> None:
        if self._broken:
            raise OSError("no such disk")
        if "classification" in self.binding.id:
            self.labels = PETS
            self.label_names = {"de": GERMAN, "en": {}}

    def __call__(self, *args: Any) -> Any:
        return []


def catalogue(*handlers: Mine) -> Catalogue:
    hosts = [ModelHost(handler, Settings(lazy=True), Metrics(), THREADS) for handler in handlers]
    HOSTS.extend(hosts)
    return Catalogue(hosts, CLARIFAI, PACKAGE)


@pytest.fixture(autouse=True, scope="module")
def stopped() -> Iterator[None]:
    yield
    for host in HOSTS:
        host.stop()
    THREADS.shutdown()


async def nobody() -> Any:
    await asyncio.get_running_loop().create_future()


def ask(known: Catalogue, rpc: str, request: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The answer to a call, which is JSON and what the protos say it is."""
    said = asyncio.run(known.rpcs[rpc](dict(request), nobody))
    answer: dict[str, Any] = json.loads(json.dumps(said, allow_nan=False))
    method = RPCS[rpc]
    kind: type[Message] = GetMessageClass(method.output_type)
    parsed(answer, kind)
    assert list(not_shown(answer, method.output_type)) == []
    parsed_request(request, GetMessageClass(method.input_type))
    return answer


def parsed_request(request: Mapping[str, Any], kind: type[Message]) -> None:
    """What the tests ask, clients can."""
    parsed(dict(request), kind)


def refusal(known: Catalogue, rpc: str, request: Mapping[str, Any]) -> tuple[Code, str]:
    with pytest.raises(Problem) as caught:
        asyncio.run(known.rpcs[rpc](dict(request), nobody))
    return caught.value.code, caught.value.details


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [model["id"] for model in answer["models"]]


ALL = catalogue(*(Mine(task) for task in TASKS))
SOME = catalogue(
    Mine("image-classification", "vision/pets"),
    Mine("image-classification", "clarifai/main/general"),
    Mine("automatic-speech-recognition", "hearer"),
    Mine("object-detection"),
    Mine("chat-completion"),
)


# ------------------------------------------------------------------------------------------------ finding


@pytest.mark.parametrize(
    ("asked", "name", "model_id"),
    [
        ({"model_id": "vision--pets"}, "vision/pets", "vision--pets"),
        ({"model_id": "vision/pets"}, "vision/pets", "vision--pets"),
        ({"model_id": "image-classification"}, "vision/pets", "vision--pets"),
        ({"model_id": "clarifai--main--general"}, "clarifai/main/general", "clarifai--main--general"),
        (
            {"model_id": "general", "user_app_id": {"user_id": "clarifai", "app_id": "main"}},
            "clarifai/main/general",
            "general",
        ),
        ({"model_id": "hearer", "user_app_id": {"user_id": "facebook", "app_id": "asr"}}, "hearer", "hearer"),
        ({"model_id": "automatic-speech-recognition"}, "hearer", "hearer"),
        ({"runner_selector": {"deployment": {"user_id": "me", "id": "hearer"}}}, "hearer", "hearer"),
        ({"model_id": "object-detection", "user_app_id": {}}, "object-detection", "object-detection"),
    ],
)
def test_a_model_is_found(asked: dict[str, Any], name: str, model_id: str) -> None:
    parsed_request(asked, service_pb2.PostModelOutputsRequest)
    found = SOME.find(asked)
    assert (found.host.name, found.model_id) == (name, model_id)
    again = SOME.find({**asked, "version_id": found.version_id})
    assert again == found


@pytest.mark.parametrize(
    "asked",
    [
        {"model_id": "no-such"},
        {"model_id": "chat-completion"},  # which Clarifai does not speak
        {"model_id": "general"},
        {"model_id": "general", "user_app_id": {"user_id": "clarifai", "app_id": "other"}},
        {"model_id": "pets", "user_app_id": {"user_id": "vision"}},
        {"model_id": "hearer", "version_id": "0" * 32},
        {"model_id": "../etc/shadow"},
        {"model_id": "x" * 200},
    ],
)
def test_what_does_not_exist_is_not_found(asked: dict[str, Any]) -> None:
    code, details = refusal(SOME, "GetModel", asked)
    assert code == Code.MODEL_DOES_NOT_EXIST
    assert "hearer" in details
    assert len(details) < 1000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "model_id: is required"),
        ({"model_id": 3}, "model_id: must be a text"),
        ({"model_id": ["hearer"]}, "model_id: must be a text"),
        ({"model_id": "hearer", "version_id": 1}, "version_id: must be a text"),
        ({"model_id": "hearer", "user_app_id": {"user_id": {}, "app_id": 1}}, "app_id: must be a text"),
        ({"model_id": "hearer", "user_app_id": "me"}, "user_app_id: must be an object"),
        ({"runner_selector": 1}, "runner_selector: must be an object"),
        ({"runner_selector": {"deployment": 1}}, "runner_selector.deployment: must be an object"),
    ],
)
def test_what_is_no_name_of_a_model_is_refused(asked: dict[str, Any], message: str) -> None:
    code, details = refusal(SOME, "GetModel", asked)
    assert code in (Code.MODEL_INVALID_REQUEST, Code.CONN_BAD_REQUEST_FORMAT)
    assert details == message


@pytest.mark.parametrize("wrong", ["x" * 201, "../etc/passwd\n", "a b", "\0", "ünï\u202e", "/"])
@pytest.mark.parametrize(
    "place", ["model_id", "version_id", "model_version_id", "runner_selector.deployment.id", "user_app_id.user_id",
              "user_app_id.app_id"]
)  # fmt: skip
def test_what_can_be_no_id_is_not_repeated(place: str, wrong: str) -> None:
    *way, name = place.split(".")
    asked: dict[str, Any] = {} if place.endswith("deployment.id") else {"model_id": "hearer"}
    holder = asked
    for step in way:
        holder = holder.setdefault(step, {})
    holder[name] = wrong
    code, details = refusal(SOME, "GetModel", asked)
    assert code == Code.MODEL_INVALID_REQUEST
    message = "must be of letters, digits, '-', '_', '.' and '/', and of 200 characters at most"
    assert details == f"{name}: {message}"


def test_whose_a_model_is_may_have_a_long_name() -> None:
    model = ask(SOME, "GetModel", {"model_id": "hearer", "user_app_id": {"user_id": "u" * 200, "app_id": "a_b-c.d"}})
    assert (model["model"]["user_id"], model["model"]["app_id"]) == ("u" * 200, "a_b-c.d")


def test_a_version_is_the_same_for_as_long_as_the_name_is() -> None:
    versions = {name: catalogue(Mine("summarization", name)).find({"model_id": name}).version_id for name in ("a", "b")}
    assert versions["a"] != versions["b"]
    assert all(len(version) == 32 and int(version, 16) for version in versions.values())
    assert catalogue(Mine("summarization", "a")).find({"model_id": "a"}).version_id == versions["a"]


# ------------------------------------------------------------------------------------------------ describing


@pytest.mark.parametrize("task", [task for task in TASKS if CLARIFAI.speaks(task)])
def test_every_model_is_described(task: str) -> None:
    model = ask(ALL, "GetModel", {"model_id": task})["model"]
    assert (model["id"], model["task"], model["user_id"], model["app_id"]) == (task, task, "local", "main")
    assert model["model_version"]["status"]["code"] == Code.MODEL_TRAINED
    assert model["visibility"] == {"gettable": 50}


def test_whose_a_model_is_depends_on_who_is_asked_for() -> None:
    def owner(**asked: str) -> tuple[str, str]:
        model = ask(SOME, "GetModel", {"model_id": "hearer", "user_app_id": asked})["model"]
        version = model["model_version"]
        assert (version["user_id"], version["app_id"]) == (model["user_id"], model["app_id"])
        return model["user_id"], model["app_id"]

    assert owner(user_id="facebook", app_id="asr") == ("facebook", "asr")
    assert owner(user_id="me", app_id="asr") == ("local", "asr")
    assert owner() == ("local", "main")


def test_options_are_told_of_models_that_answer_with_concepts() -> None:
    info = ask(SOME, "GetModel", {"model_id": "vision--pets"})["model"]["output_info"]
    assert info["params"] == {"max_concepts": 20, "min_value": 0, "select_concepts": []}
    assert info["output_config"] == {"max_concepts": 20, "min_value": 0}
    other = ask(SOME, "GetModel", {"model_id": "hearer"})["model"]["output_info"]
    assert list(other) == ["message"]


def test_a_model_that_does_not_load_says_so() -> None:
    known = catalogue(Mine("image-classification", "broken", broken=True))
    code, details = refusal(known, "GetModelOutputInfo", {"model_id": "broken"})
    assert code == Code.MODEL_DEPLOYMENT_FAILED
    assert "broken" in details
    assert "disk" not in details
    version = ask(known, "GetModelVersion", {"model_id": "broken"})["model_version"]
    assert version["status"]["code"] == Code.MODEL_DEPLOYMENT_FAILED


def test_labels_that_are_not_known_yet_are_asked_for_again_later(serve: Serve) -> None:
    """As predictions are: when the model should be there."""
    gate = Gate()

    class Slow(Mine):
        load_seconds = 30.0

        def load(self) -> None:
            gate()

    live = serve(Slow("image-classification"), wait=False, load_timeout=0.1)
    for path, method in (("output_info", "GET"), ("outputs", "POST")):
        answer = live.client.request(
            method,
            f"/v2/models/image-classification/{path}",
            content=b'{"inputs": [{"data": {"image": {"base64": "AAAA"}}}]}',
        )
        status = answer.json()["status"]
        assert (answer.status_code, status["code"]) == (503, Code.MODEL_LOADING)
        assert status["details"] == "model 'image-classification' is loading"
        assert 20 <= int(answer.headers["retry-after"]) <= 30
    gate.opened.set()


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("audio-classification", Kind("audio-classifier", ("audio",), ("concepts",))),
        ("automatic-speech-recognition", Kind("audio-to-text", ("audio",), ("text", "time_segments"))),
        ("depth-estimation", Kind("any-to-any", ("image",), ("heatmaps",))),
        ("document-question-answering", Kind("multimodal-to-text", ("image", "text"), ("concepts",))),
        ("feature-extraction", Kind("text-embedder", ("text",), ("embeddings",))),
        ("image-classification", Kind("visual-classifier", ("image",), ("concepts",))),
        (
            "image-segmentation",
            Kind("visual-segmenter", ("image",), ("regions[...].data.concepts", "regions[...].region_info.mask")),
        ),
        (
            "object-detection",
            Kind(
                "visual-detector", ("image",), ("regions[...].data.concepts", "regions[...].region_info.bounding_box")
            ),
        ),
        ("text-to-image", Kind("text-to-image", ("text",), ("image",))),
        ("text-to-speech", Kind("text-to-audio", ("text",), ("audio",))),
        (
            "token-classification",
            Kind("text-token-classifier", ("text",), ("regions[...].data.concepts", "regions[...].region_info.span")),
        ),
        ("translation", Kind("text-to-text", ("text",), ("text",))),
        ("video-classification", Kind("visual-classifier", ("video",), ("concepts",))),
    ],
)
def test_the_type_of_a_model_follows_from_its_wire(task: str, kind: Kind) -> None:
    found = kind_of(CLARIFAI.wire(task))
    assert (found.type_id, found.inputs, sorted(found.outputs)) == (kind.type_id, kind.inputs, sorted(kind.outputs))


# ------------------------------------------------------------------------------------------------ lists


def test_all_models_that_the_dialect_speaks_are_listed_in_the_order_of_the_server() -> None:
    assert ids(ask(SOME, "ListModels")) == ["vision--pets", "clarifai--main--general", "hearer", "object-detection"]
    assert ids(ask(ALL, "ListModels")) == [task for task in TASKS if CLARIFAI.speaks(task)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"model_type_id": "visual-classifier"}, ["vision--pets", "clarifai--main--general"]),
        ({"model_type_id": "visual"}, []),
        ({"input_fields": ["audio"]}, ["hearer"]),
        ({"input_fields": ["image"], "output_fields": ["regions"]}, ["object-detection"]),
        ({"output_fields": ["regions[...].data.concepts"]}, ["object-detection"]),
        ({"output_fields": ["region"]}, []),
        ({"output_fields": ["text", "concepts"]}, []),
        ({"search": "PETS"}, ["vision--pets"]),
        ({"search": "speech recognition"}, ["hearer"]),
        ({"search": "detector"}, ["object-detection"]),
        ({"query": "general"}, ["clarifai--main--general"]),
        ({"search": "nothing"}, []),
        ({"name": "vision/*"}, ["vision--pets"]),
        ({"name": "*--*"}, ["vision--pets", "clarifai--main--general"]),
        ({"per_page": 3}, ["vision--pets", "clarifai--main--general", "hearer"]),
        ({"page": 2, "per_page": 3}, ["object-detection"]),
        ({"page": 3, "per_page": 3}, []),
        ({"page": 4_000_000_000, "per_page": 1000}, []),
        ({"page": 1, "per_page": 0}, ["vision--pets", "clarifai--main--general", "hearer", "object-detection"]),
    ],
)
def test_lists_are_filtered(asked: dict[str, Any], expected: list[str]) -> None:
    assert ids(ask(SOME, "ListModels", asked)) == expected


def test_what_an_address_says_is_text() -> None:
    assert ids(asyncio.run(SOME.rpcs["ListModels"]({"page": "2", "per_page": "3"}, nobody))) == ["object-detection"]
    assert ids(asyncio.run(SOME.rpcs["ListModels"]({"input_fields": "audio"}, nobody))) == ["hearer"]
    within = {"pagination": {"page": "2", "per_page": "3"}}
    assert ids(asyncio.run(SOME.rpcs["ListModels"](within, nobody))) == ["object-detection"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["vision--pets", "clarifai--main--general", "hearer", "object-detection"]),
        ({"name": "hear*"}, ["hearer"]),
        ({"name": "hear"}, []),
        ({"name": "HEARER"}, ["hearer"]),
        ({"name": "*e*r*"}, ["clarifai--main--general", "hearer"]),
        ({"model_type_id": "visual-detector"}, ["object-detection"]),
        ({"model_type_id": "visual-detector", "name": "h*"}, []),
    ],
)
def test_models_are_searched_for(query: dict[str, Any], expected: list[str]) -> None:
    assert ids(ask(SOME, "PostModelsSearches", {"model_query": query})) == expected


def test_a_search_has_pages() -> None:
    found = ask(SOME, "PostModelsSearches", {"model_query": {"name": "*"}, "pagination": {"page": 2, "per_page": 3}})
    assert ids(found) == ["object-detection"]


@pytest.mark.parametrize(
    ("rpc", "asked"),
    [
        ("ListModels", {"page": -1}),
        ("ListModels", {"page": "x"}),
        ("ListModels", {"page": "1" * 5000}),
        ("ListModels", {"page": "²"}),
        ("ListModels", {"page": 1.5}),
        ("ListModels", {"page": True}),
        ("ListModels", {"per_page": 1001}),
        ("ListModels", {"per_page": [1]}),
        ("ListModels", {"input_fields": {"audio": 1}}),
        ("ListModels", {"input_fields": [1]}),
        ("ListModels", {"search": 1}),
        ("PostModelsSearches", {"pagination": 1}),
        ("PostModelsSearches", {"pagination": {"per_page": 1001}}),
        ("PostModelsSearches", {"model_query": "x"}),
        ("PostModelsSearches", {"model_query": {"name": 1}}),
    ],
)
def test_a_list_that_nobody_can_give_is_refused(rpc: str, asked: dict[str, Any]) -> None:
    code, details = refusal(SOME, rpc, asked)
    assert code in (Code.MODEL_INVALID_REQUEST, Code.CONN_BAD_REQUEST_FORMAT)
    assert ": must be " in details
    assert len(details) < 100


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*c", "abcd", False),
        ("a*a", "a", False),
        ("*", "", True),
        ("**", "abc", True),
        ("a*b*b", "ab", False),
        ("a*b*b", "axbb", True),
        ("[a]", "a", False),
        ("a?c", "abc", False),
        ("", "a", False),
        ("*a" * 50 + "*b", "a" * 10_000, False),
    ],
)
def test_wildcards(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


# ------------------------------------------------------------------------------------------------ versions, types


def test_a_model_has_one_version() -> None:
    (version,) = ask(SOME, "ListModelVersions", {"model_id": "hearer"})["model_versions"]
    assert version == ask(SOME, "GetModel", {"model_id": "hearer"})["model"]["model_version"]
    asked = {"model_id": "hearer", "version_id": version["id"]}
    assert ask(SOME, "GetModelVersion", asked)["model_version"] == version
    assert ask(SOME, "GetModel", asked)["model"]["model_version"] == version
    assert ask(SOME, "ListModelVersions", {"model_id": "hearer", "page": 2})["model_versions"] == []


def test_the_types_of_models_that_are_served() -> None:
    types = ask(SOME, "ListModelTypes")["model_types"]
    assert [known["id"] for known in types] == ["audio-to-text", "visual-classifier", "visual-detector"]
    assert ask(SOME, "GetModelType", {"model_type_id": "audio-to-text"})["model_type"] == {
        "id": "audio-to-text",
        "title": "Audio To Text",
        "input_fields": ["audio"],
        "output_fields": ["text", "time_segments"],
    }
    classifier = ask(ALL, "GetModelType", {"model_type_id": "visual-classifier"})["model_type"]
    assert (classifier["input_fields"], classifier["output_fields"]) == (["image", "video"], ["concepts"])
    assert [known["id"] for known in ask(SOME, "ListModelTypes", {"page": 2, "per_page": 2})["model_types"]] == [
        "visual-detector"
    ]
    assert refusal(SOME, "GetModelType", {"model_type_id": "text-to-text"})[0] == Code.CONN_DOES_NOT_EXIST


# ------------------------------------------------------------------------------------------------ labels


def concepts(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    info = answer["model"]["output_info"]
    assert answer["model"]["model_version"]["output_info"] == info
    found: list[dict[str, Any]] = info["data"]["concepts"]
    return found


def test_the_labels_of_a_model_are_its_concepts() -> None:
    known = catalogue(Mine("image-classification", "pets"))
    answer = ask(known, "GetModelOutputInfo", {"model_id": "pets"})
    assert concepts(answer) == [{"id": name, "name": name, "value": 1, "app_id": "main"} for name in PETS]
    assert answer["model"]["model_version"]["active_concept_count"] == 2


def test_labels_have_names_in_the_languages_of_the_model() -> None:
    known = catalogue(Mine("image-classification", "pets"))
    answer = ask(known, "GetModelOutputInfo", {"model_id": "pets", "language": "de"})
    assert concepts(answer) == [
        {"id": "cat", "name": "Katze", "value": 1, "language": "de", "app_id": "main"},
        {"id": "dog", "name": "dog", "value": 1, "app_id": "main"},
    ]
    assert [
        concept["name"]
        for concept in concepts(ask(known, "GetModelOutputInfo", {"model_id": "pets", "language": "en"}))
    ] == [*PETS]
    code, details = refusal(known, "GetModelOutputInfo", {"model_id": "pets", "language": "xx"})
    assert code == Code.MODEL_INVALID_ARGUMENT
    assert details == "language: this model's labels have names in: de, en"


def test_a_model_without_labels_is_not_loaded_for_them() -> None:
    assert concepts(ask(SOME, "GetModelOutputInfo", {"model_id": "hearer"})) == []
    assert SOME.find({"model_id": "hearer"}).host.state == "idle"


# ------------------------------------------------------------------------------------------------ examples, codes


@pytest.mark.parametrize("task", [task for task in TASKS if CLARIFAI.speaks(task)])
def test_every_task_has_inputs_to_try(task: str) -> None:
    served: Served = ALL.find({"model_id": task})
    asked = {"model_id": task, "model_version_id": served.version_id}
    found = ask(ALL, "ListModelVersionInputExamples", asked)["model_version_input_examples"]
    assert found
    assert len({json.dumps(example["data"]) for example in found}) == len(found)
    for example in found:
        assert (example["model_id"], example["model_version_id"]) == (task, served.version_id)
        assert {name for name in example["data"] if name != "parts"} <= set(served.kind.inputs)
        one = ask(ALL, "GetModelVersionInputExample", {**asked, "example_id": example["id"]})
        assert one["model_version_input_example"] == example
    assert refusal(ALL, "GetModelVersionInputExample", {**asked, "example_id": "x"})[0] == Code.INPUT_DOES_NOT_EXIST


def test_status_codes() -> None:
    statuses = ask(SOME, "ListStatusCodes")["statuses"]
    assert [known["code"] for known in statuses] == [int(code) for code in Code]
    assert all(known["description"] for known in statuses)
    assert ask(SOME, "GetStatusCode", {"status_code_id": "21200"})["status"] == {
        "code": 21200,
        "description": "Model does not exist",
    }
    for unknown in ("1", "21200.0", "MODEL_TRAINED", ""):
        assert refusal(SOME, "GetStatusCode", {"status_code_id": unknown})[0] == Code.CONN_DOES_NOT_EXIST
