"""What a call asks for beside its inputs: where it says so, what it may be, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from inference_tasks._runtime.server.clarifai.options import Options
from inference_tasks.models.text_classification import TextClassificationOutputElement
from inference_tasks.models.zero_shot_image_classification import ZeroShotImageClassificationOutputElement
from inference_tasks.server import TextClassificationHandler, ZeroShotImageClassificationHandler
from tests.server.live import Live, Serve, b64, picture

from .asking import Boxes, Scores, codes, concepts, details, predict, texts

MODEL = "text-classification"
SAID = texts("dog=0.5 none=0 cat=0.9 fox=0.25")
IMAGE = [{"data": {"image": {"base64": b64(picture(size=(60, 40)))}}}]


def info(**members: Any) -> dict[str, Any]:
    return {"output_info": members}


# ------------------------------------------------------------------------------------------------ where they are


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ({}, 4),
        (info(output_config={"max_concepts": 3}), 3),
        (info(params={"max_concepts": 3}), 3),
        ({"model_version": info(output_config={"max_concepts": 3})}, 3),
        ({"model_version": info(params={"max_concepts": 3})}, 3),
        (info(output_config={"max_concepts": 1}, params={"max_concepts": 3}), 3),
        ({**info(params={"max_concepts": 1}), "model_version": info(output_config={"max_concepts": 3})}, 3),
        ({**info(params={"max_concepts": 3}), "model_version": info(params={"min_value": 0.0})}, 3),
        ({**info(output_config={"max_concepts": 2}), "model_version": info(params={"max_concepts": 0})}, 4),
        ({"model_version": None, **info(output_config=None, params={"max_concepts": 2.0})}, 2),
        ({**info(params={"max_concepts": 2}), "model_version": info(params={"max_concepts": None})}, 2),
        ({**info(params={"max_concepts": 2}), "model_version": info(output_config={"max_concepts": 0})}, 2),
        ({**info(output_config={"min_value": 0.5}), "model_version": info(params={"min_value": 0})}, 4),
        ({**info(output_config={"min_value": 0.5}), "model_version": info(output_config={"min_value": 0})}, 2),
        (info(output_config={"select_concepts": [{"id": "cat"}]}, params={"select_concepts": []}), 4),
        (info(params={"select_concepts": [{"id": "cat"}]}, output_config={"select_concepts": []}), 1),
    ],
)
def test_both_places_are_read_and_that_of_the_version_wins(live: Live, model: Any, most: int) -> None:
    answer = predict(live, MODEL, SAID, model=model)
    assert concepts(answer) == [("cat", 0.9), ("dog", 0.5), ("fox", 0.25), ("none", 0.0)][:most]


def test_options_of_both_places_go_together(live: Live) -> None:
    model = {
        **info(output_config={"min_value": 0.3, "language": "de", "closed_environment": True}),
        "model_version": info(params={"max_concepts": 1}),
    }
    assert concepts(predict(live, MODEL, SAID, model=model)) == [("Katze", 0.9)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_concepts": 201}, "max_concepts: must be a number from 1 to 200"),
        ({"max_concepts": -1}, "max_concepts: must be a number from 1 to 200"),
        ({"max_concepts": 1.5}, "max_concepts: must be a whole number"),
        ({"max_concepts": "3"}, "max_concepts: must be a number"),
        ({"max_concepts": True}, "max_concepts: must be a number"),
        ({"min_value": 1.01}, "min_value: must be a number from 0 to 1"),
        ({"min_value": -0.1}, "min_value: must be a number from 0 to 1"),
        ({"min_value": [0.1]}, "min_value: must be a number from 0 to 1"),
        ({"sample_ms": 99}, "sample_ms: must be a number from 100 to 60000"),
        ({"sample_ms": 60001}, "sample_ms: must be a number from 100 to 60000"),
        ({"language": 7}, "language: must be a text"),
        ({"language": "xx"}, "language: this model's concepts have no names in it; other languages here: de"),
        ({"select_concepts": "cat"}, "select_concepts: must be a list"),
        ({"select_concepts": ["cat"]}, "select_concepts.0: must be an object"),
        ({"select_concepts": [{"id": "cat"}, {}]}, "select_concepts.1: must be an object"),
        ({"select_concepts": [{"name": 3}]}, "select_concepts.0: must be an object"),
        ({"select_concepts": [{"name": "cat", "id": 3}]}, "select_concepts.0: must be an object"),
        ({"select_concepts": {}}, "select_concepts: must be a list"),
        ({"max_concepts": False}, "max_concepts: must be a number"),
        ({"max_concepts": ""}, "max_concepts: must be a number"),
        ({"min_value": ""}, "min_value: must be a number from 0 to 1"),
        ({"sample_ms": []}, "sample_ms: must be a number from 100 to 60000"),
        ({"language": 0}, "language: must be a text"),
        ({"bogus": 1}, "params.bogus: unknown name 'bogus'; known here: function_to_apply, max_concepts"),
        ({"top_k": 1}, "top_k: is called max_concepts here"),
        ({"function_to_apply": "magic"}, "params.function_to_apply"),
    ],
)
def test_what_no_option_can_be(live: Live, options: dict[str, Any], message: str) -> None:
    places = [info(params=options)]
    if options.keys() <= {"max_concepts", "min_value", "select_concepts", "language", "sample_ms"}:
        places.append(info(output_config=options))
    for place in places:
        answer = predict(live, MODEL, SAID, model={"model_version": place})
        assert answer.status_code == 400
        assert answer.json()["status"]["code"] == 21202
        assert message in details(answer)


@pytest.mark.parametrize("options", [{"max_concepts": 200}, {"min_value": 1}, {"sample_ms": 100}, {"language": ""}])
def test_what_an_option_can_just_be(live: Live, options: dict[str, Any]) -> None:
    assert codes(predict(live, MODEL, SAID, options)) == (10000, [10000])


# ------------------------------------------------------------------------------------------------ what they do


def test_by_default_there_are_twenty_concepts(live: Live) -> None:
    many = texts(" ".join(f"label{number}=0.{number:02}" for number in range(50)))
    assert len(concepts(predict(live, MODEL, many))) == 20
    assert len(concepts(predict(live, MODEL, many, {"max_concepts": 0}))) == 20
    assert len(concepts(predict(live, MODEL, many, {"max_concepts": 45}))) == 45


def test_min_value_keeps_what_is_equal_and_max_concepts_still_holds(live: Live) -> None:
    assert concepts(predict(live, MODEL, SAID, {"min_value": 0.25})) == [("cat", 0.9), ("dog", 0.5), ("fox", 0.25)]
    assert concepts(predict(live, MODEL, SAID, {"min_value": 0.25, "max_concepts": 2})) == [("cat", 0.9), ("dog", 0.5)]


@pytest.mark.parametrize(
    "wanted",
    [{"id": "dog"}, {"name": "dog"}, {"id": "ai_of_theirs", "name": "dog"}, {"id": "dog", "name": "Hund"}],
)
def test_concepts_are_selected_by_id_or_name(live: Live, wanted: dict[str, str]) -> None:
    answer = predict(live, MODEL, SAID, {"select_concepts": [wanted]})
    assert codes(answer) == (10000, [10000])
    assert concepts(answer) == [("dog", 0.5)]


def test_the_model_is_asked_for_all_labels_where_some_are_selected(serve: Serve) -> None:
    """Otherwise those that are wanted might be beyond the first ones."""
    labels = [f"label{number}" for number in range(300)]
    said = texts(" ".join(f"{label}=0.5" for label in labels))
    live = serve(Scores(labels=labels))
    wanted = {"select_concepts": [{"id": "label299"}], "max_concepts": 1}
    assert concepts(predict(live, MODEL, said, wanted)) == [("label299", 0.5)]


class Unlabelled(Scores):
    """The same without a list of its labels."""

    labels = ()
    label_names = {}  # noqa: RUF012 - as one writes it


def test_without_a_list_of_labels_an_answer_tells_which_there_are(serve: Serve) -> None:
    live = serve(Unlabelled())
    many = texts(" ".join([*(f"label{number}=0.5" for number in range(300)), "rare=0.01"]))
    assert concepts(predict(live, MODEL, many, {"select_concepts": [{"id": "rare"}]})) == [("rare", 0.01)]
    answer = predict(live, MODEL, many, {"select_concepts": [{"id": "rare"}, {"id": "other"}]})
    assert codes(answer) == (10010, [10010])
    assert codes(predict(live, MODEL, many, {"select_concepts": [{"id": "other"}]})) == (21202, [21202])


def test_a_selected_concept_that_the_model_has_and_does_not_see_is_no_mistake(live: Live) -> None:
    answer = predict(live, MODEL, texts("dog=0.5", "fox=0.5"), {"select_concepts": [{"id": "fox"}]})
    assert codes(answer) == (10000, [10000, 10000])
    assert (concepts(answer, 0), concepts(answer, 1)) == ([], [("fox", 0.5)])


def test_of_selected_concepts_some_or_all_may_not_be_known(live: Live) -> None:
    answer = predict(live, MODEL, SAID, {"select_concepts": [{"id": "cat"}, {"name": "Cat"}, {"name": "Hund"}]})
    assert answer.status_code == 200
    assert codes(answer) == (10010, [10010])
    assert concepts(answer) == [("cat", 0.9)]
    assert details(answer) == "select_concepts: this model has no concept 'Cat', 'Hund'"
    answer = predict(live, MODEL, SAID, {"select_concepts": [{"id": "Cat"}]})
    assert answer.status_code == 400
    assert codes(answer) == (21202, [21202])
    assert "'Cat'" in details(answer)


def test_names_in_another_language(live: Live) -> None:
    answer = predict(live, MODEL, SAID, {"language": "de", "max_concepts": 4})
    found = answer.json()["outputs"][0]["data"]["concepts"]
    assert [(c["id"], c["name"], c.get("language")) for c in found] == [
        ("cat", "Katze", "de"), ("dog", "Hund", "de"), ("fox", "Fuchs", "de"), ("none", "none", None)
    ]  # fmt: skip
    picked = {"language": "de", "select_concepts": [{"name": "Hund"}, {"id": "fox"}]}
    assert concepts(predict(live, MODEL, SAID, picked)) == [("Hund", 0.5), ("Fuchs", 0.25)]


def test_so_many_concepts_may_be_selected(live: Live) -> None:
    """Those that nobody knows are told, as far as that is of use."""
    wanted = [{"id": "cat"}, *({"name": f"{place}-" + "x" * 100_000} for place in range(199))]
    answer = predict(live, MODEL, SAID, {"select_concepts": wanted})
    assert codes(answer) == (10010, [10010])
    assert len(details(answer)) == 1000
    assert details(answer).count("0-x") == 1
    answer = predict(live, MODEL, SAID, {"select_concepts": [*wanted, {"id": "dog"}]})
    assert codes(answer) == (21202, [])
    assert details(answer) == "select_concepts: there are 201, and 200 at most can be selected"


def test_what_is_selected_is_gathered_once() -> None:
    """Not again for each concept of an answer."""
    names = tuple((f"label{number}",) for number in range(200))
    chosen = Options(select=names)
    assert chosen.selected is chosen.selected
    assert chosen.selected == {name for (name,) in names}


def test_a_language_is_refused_only_where_others_are_known_and_before_anything_is_done(serve: Serve) -> None:
    scores = Scores()
    answer = predict(serve(scores), MODEL, SAID, {"language": "en"})
    assert codes(answer) == (21202, [])
    assert scores.batches == []
    live = serve(Scores(label_names={}))
    answer = predict(live, MODEL, SAID, {"language": "en"})
    assert codes(answer) == (10000, [10000])
    assert details(answer).startswith("language: this model's concepts have the names")
    assert concepts(answer) == concepts(predict(live, MODEL, SAID))


def test_what_no_model_knows_is_judged_by_all_answers(serve: Serve) -> None:
    live = serve(Scores(labels=()))
    inputs = texts("cat=0.9", "dog=0.5", "crash")
    answer = predict(live, MODEL, inputs, {"select_concepts": [{"name": "cat"}]})
    assert codes(answer) == (10010, [10000, 10000, 21313])
    assert (concepts(answer, 0), concepts(answer, 1)) == ([("cat", 0.9)], [])
    answer = predict(live, MODEL, inputs, {"select_concepts": [{"name": "cat"}, {"name": "dog"}]})
    assert codes(answer) == (10010, [10000, 10000, 21313])
    answer = predict(live, MODEL, inputs[:2], {"select_concepts": [{"name": "cat"}, {"name": "owl"}]})
    assert codes(answer) == (10010, [10010, 10010])
    answer = predict(live, MODEL, inputs[:2], {"select_concepts": [{"name": "owl"}]})
    assert codes(answer) == (21202, [21202, 21202])
    assert "data" not in answer.json()["outputs"][0]


class Chosen(ZeroShotImageClassificationHandler):
    """Answers the labels that the request brings."""

    def __call__(self, inputs: Any, parameters: Any) -> list[ZeroShotImageClassificationOutputElement]:
        labels = parameters.candidate_labels
        return [
            ZeroShotImageClassificationOutputElement(label=label, score=0.1 * place)
            for place, label in enumerate(labels, 1)
        ]


def test_where_labels_come_with_the_request_they_are_the_selected_concepts(serve: Serve) -> None:
    live = serve(Chosen())
    model = "zero-shot-image-classification"
    answer = predict(live, model, IMAGE, {"select_concepts": [{"name": "a cat"}, {"id": "ai_1", "name": "a dog"}]})
    assert concepts(answer) == [("a dog", 0.2), ("a cat", 0.1)]
    assert answer.json()["outputs"][0]["data"]["concepts"][0]["id"] == "a dog"
    answer = predict(live, model, IMAGE)
    assert codes(answer) == (21202, [21202])
    assert details(answer) == "params: is required"
    answer = predict(live, model, IMAGE, {"hypothesis_template": "{}"})
    assert codes(answer) == (21202, [21202])
    assert details(answer) == "params.select_concepts: is required"


def test_as_many_labels_are_to_choose_from_as_the_operator_lets(serve: Serve) -> None:
    live = serve(Chosen(), max_labels=210)
    labels = [{"name": f"label{number}"} for number in range(211)]
    model = "zero-shot-image-classification"
    answer = predict(live, model, IMAGE, {"select_concepts": labels[:210], "max_concepts": 200})
    assert len(concepts(answer)) == 200
    answer = predict(live, model, IMAGE, {"select_concepts": labels})
    assert codes(answer) == (21202, [])
    assert details(answer) == "select_concepts: there are 211, and 210 at most can be selected"


def test_labels_that_are_named_twice_are_one(serve: Serve) -> None:
    wanted = [{"id": "a", "name": "cat"}, {"id": "b", "name": "cat"}, {"id": "dog"}]
    answer = predict(serve(Chosen()), "zero-shot-image-classification", IMAGE, {"select_concepts": wanted})
    assert concepts(answer) == [("dog", 0.2), ("cat", 0.1)]


# ------------------------------------------------------------------------------------------------ regions


def boxes(answer: Any) -> list[tuple[str, dict[str, float]]]:
    regions = answer.json()["outputs"][0]["data"].get("regions", [])
    return [(r["data"]["concepts"][0]["name"], r["region_info"]["bounding_box"]) for r in regions]


CAT = ("cat", {"left_col": 0.0, "top_row": 0.0, "right_col": 0.5, "bottom_row": 1.0})
DOG = ("dog", {"left_col": 0.5, "top_row": 0.5, "right_col": 1.0, "bottom_row": 1.0})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, [DOG, CAT]),
        ({"max_concepts": 1}, [CAT]),
        ({"min_value": 0.9}, [CAT]),
        ({"min_value": 0.4}, [DOG, CAT]),
        ({"select_concepts": [{"id": "dog"}]}, [DOG]),
        ({"select_concepts": [{"id": "fox"}]}, []),
        ({"min_value": 0.401}, [CAT]),
        ({"min_value": 0}, [DOG, CAT]),
    ],
)
def test_regions_are_picked_in_their_order(live: Live, options: Any, expected: Any) -> None:
    answer = predict(live, "object-detection", IMAGE, options)
    assert codes(answer) == (10000, [10000])
    assert boxes(answer) == expected


def test_the_least_value_is_the_threshold_of_the_model(live: Live) -> None:
    answer = predict(live, "object-detection", IMAGE, {"threshold": 0.5})
    assert codes(answer) == (21202, [])
    assert details(answer) == "threshold: is called min_value here"


def test_regions_have_ids_of_their_own_and_names_in_other_languages(serve: Serve) -> None:
    boxes = Boxes()
    boxes.label_names = {"de": {"cat": "Katze"}}
    live = serve(boxes)
    answer = predict(live, "object-detection", [*IMAGE, *IMAGE], {"language": "de"})
    regions = [region for output in answer.json()["outputs"] for region in output["data"]["regions"]]
    assert len({region["id"] for region in regions}) == 4
    assert [region["data"]["concepts"][0]["name"] for region in regions] == ["dog", "Katze"] * 2
    assert [region["value"] for region in regions] == [0.4, 0.9] * 2


def test_nobody_knows_what_a_detector_without_labels_could_find(serve: Serve) -> None:
    boxes_ = Boxes()
    boxes_.labels = ()
    answer = predict(serve(boxes_), "object-detection", IMAGE, {"select_concepts": [{"id": "whale"}]})
    assert codes(answer) == (10000, [10000])
    assert boxes(answer) == []


class Plain(TextClassificationHandler):
    """Answers nothing at all."""

    def __call__(self, inputs: str, parameters: Any) -> list[TextClassificationOutputElement]:
        return []


def test_an_answer_without_anything_is_a_success(serve: Serve) -> None:
    answer = predict(serve(Plain()), MODEL, texts("x"), {"min_value": 0.5})
    assert codes(answer) == (10000, [10000])
    assert answer.json()["outputs"][0]["data"] == {}
