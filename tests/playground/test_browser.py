"""The pages in a real browser, against the demo server: what people click is what happens."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inference_tasks._runtime.validation import validate_response
from inference_tasks._tasks import TASKS
from taskbind.context import BASE_URL
from tests.support.browser import Watched, watched_page
from tests.support.server import TOKEN

from .conftest import MANIFEST, PACKAGE, grave

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SLOW = 120_000
"""Milliseconds that a first answer may take: its model is loaded, torch too."""
SHOWN = {
    "scores": ".bars li .score",
    "boxes": ".stage .box",
    "masks": ".stage .mask",
    "transcript": ".chunks button",
    "spans": ".marked mark",
    "answers": "p.answer",
    "text": "div.text",
    "chat": ".message div.text",
    "image": "figure img",
    "audio": "figure audio",
    "video": "figure video",
    "numbers": ".vector span",
    "cells": "table.rows td.strong",
    "json": "dl, table, pre",
}
"""What the page draws for each kind of output."""
FIRST = {task["output"]: task for task in reversed(MANIFEST["tasks"])}
TASK = {task["id"]: task for task in MANIFEST["tasks"]}


def opened(watched: Watched, place: str) -> Page:
    """The playground at a task (``task/example``), its example filled in and the token typed in."""
    page = watched.page
    page.goto(f"/playground#{place}")
    page.locator(".chip[aria-pressed=true]").wait_for()
    page.get_by_label("Token", exact=True).fill(TOKEN)
    return page


def sent(page: Page) -> Locator:
    """Sends the form, waits for the end of the answer, and gives the panel it is shown in."""
    with page.expect_response(lambda response: response.request.method == "POST", timeout=SLOW):
        page.get_by_role("button", name="Send").click()
    page.locator(".answer-card[aria-busy=false]").wait_for(timeout=SLOW)
    return page.locator(".answer-body")


def answered(page: Page) -> Any:
    """The answer as the tab with JSON has it."""
    page.get_by_role("tab", name="Raw JSON").click()
    return json.loads(page.locator("pre.raw").inner_text())


def whole(page: Page) -> None:
    """Asks for one answer instead of events."""
    if page.get_by_label("Stream the answer").count():
        page.get_by_label("Stream the answer").uncheck()


@pytest.mark.parametrize("kind", FIRST)
def test_an_example_is_sent_and_its_answer_drawn(watched: Watched, kind: str) -> None:
    task = FIRST[kind]
    timed = [example["name"] for example in task["examples"] if "timestamps" in json.dumps(example["request"])]
    page = opened(watched, "/".join([task["id"], *timed[:1]]))
    whole(page)
    drawn = sent(page).locator(SHOWN[kind])
    drawn.first.wait_for()
    assert page.get_by_role("status").inner_text().startswith("200 · ")
    shown, texts = drawn.count(), drawn.all_inner_texts()
    if kind == "image":
        assert drawn.first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    elif kind == "masks":
        assert drawn.first.evaluate("shape => getComputedStyle(shape).maskImage").startswith('url("blob:')
    elif kind in ("audio", "video"):
        seconds = drawn.first.evaluate(
            "player => player.duration || new Promise(done => player.onloadedmetadata = () => done(player.duration))"
        )
        assert seconds > 0
    value = answered(page)
    validate_response(TASKS[task["id"]], value)
    if kind in ("boxes", "masks"):
        assert shown == len(value)
    if kind == "scores":
        assert [float(text) for text in texts] == pytest.approx([item["score"] for item in value], rel=1e-3, abs=1e-9)
    elif kind == "cells":
        assert shown == len(value)
    elif kind == "transcript":
        assert [text.split("\n")[-1].strip() for text in texts] == [piece["text"].strip() for piece in value["chunks"]]


@pytest.mark.parametrize("task", TASK)
def test_every_example_comes_back_out_of_the_form_as_it_went_in(watched: Watched, task: str) -> None:
    """Filled in and sent, the request is the example's: nothing lost, nothing added, no number or null changed."""
    page = opened(watched, task)
    whole(page)
    bodies: list[Any] = []

    def keep(route: Any) -> None:
        request = route.request
        bodies.append((request.headers["content-type"], request.post_data_buffer))
        route.fulfill(status=200, json=[])

    page.route(re.compile("/(tasks|models)/"), keep)
    for example in TASK[task]["examples"]:
        page.locator(f".chip[data-example={example['name']}]").click()
        page.locator(f".chip[data-example={example['name']}][aria-pressed=true]").wait_for()
        page.locator(".preview > *").nth(len(example["samples"]) - 1).wait_for() if example["samples"] else None
        sent(page)
        kind, body = bodies.pop()
        wanted = dict(example["request"])
        files = [(PACKAGE / "_samples" / sample["path"]).read_bytes() for sample in example["samples"]]
        if kind != "application/json":
            assert (body, wanted) == (files[0], {}), example["name"]
            continue
        for sample, data in zip(example["samples"], files, strict=True):
            inner = wanted
            for name in sample["place"][:-1]:
                inner[name] = dict(inner.get(name, {}))
                inner = inner[name]
            inner[sample["place"][-1]] = base64.b64encode(data).decode()
        assert json.loads(body) == wanted, example["name"]


def test_streamed_text_grows_as_it_comes(watched: Watched) -> None:
    task = next(task for task in MANIFEST["tasks"] if task["streams"])
    page = opened(watched, task["id"])
    page.evaluate(
        """() => {
            window.lengths = [];
            const body = document.querySelector(".answer-body");
            const look = () => window.lengths.push(body.querySelector(".text")?.textContent.length ?? 0);
            new MutationObserver(look).observe(body, {childList: true, subtree: true});
        }"""
    )
    text = sent(page).locator("div.text").inner_text()
    lengths = [length for length in page.evaluate("window.lengths") if length]
    assert len(set(lengths)) >= 3, lengths
    assert lengths == sorted(lengths)
    assert lengths[-1] >= len(text) > 0
    assert re.search(r"\d+ events$", page.get_by_role("status").inner_text())


def test_a_conversation_goes_on(watched: Watched) -> None:
    page = opened(watched, next(task["id"] for task in MANIFEST["tasks"] if task["output"] == "chat"))
    text = sent(page).locator("div.text").text_content()
    page.get_by_role("button", name="Reply").click()
    page.keyboard.type("And then?")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        sent(page)
    said = [(message["role"], message["content"]) for message in asked.value.post_data_json["messages"]]
    assert said[1:] == [("assistant", text), ("user", "And then?")]


def test_a_call_can_be_given_up(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    page.route("**/tasks/**", lambda route: None)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    page.unroute_all()
    sent(page)
    assert answered(page)


def test_what_is_wrong_is_said_at_the_field(watched: Watched) -> None:
    page = opened(watched, "image-classification")
    field = page.locator("[data-field=top_k]")
    field.locator("input").fill("0")
    sent(page)
    said = field.locator(".error").inner_text()
    assert "1" in said
    assert field.locator("input").get_attribute("aria-invalid") == "true"
    assert field.locator("input").evaluate("control => control === document.activeElement")
    assert page.get_by_role("status").inner_text() == "Error 422"
    assert said in page.locator(".problem").first.inner_text()
    field.locator("input").fill("2")
    assert not field.locator(".error").is_visible()
    assert len(sent(page).locator(".bars li").all()) == 2
    watched.complaints = [text for text in watched.complaints if "status of 422" not in text]


def test_no_token_is_said_and_asked_for(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    page.get_by_label("Token", exact=True).fill("wrong")
    assert "valid token" in sent(page).inner_text()
    assert page.get_by_label("Token", exact=True).evaluate("control => control === document.activeElement")
    page.get_by_label("Token", exact=True).fill(TOKEN)
    sent(page)
    page.reload()
    page.locator(".chip[aria-pressed=true]").wait_for()
    assert page.get_by_label("Token", exact=True).input_value() == TOKEN
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    watched.complaints = [text for text in watched.complaints if "status of 401" not in text]


def test_a_recording_from_the_microphone_is_a_wav_file(watched: Watched) -> None:
    page = opened(watched, "audio-classification")
    bodies: list[Any] = []

    def keep(route: Any) -> None:
        bodies.append(route.request.post_data_buffer)
        route.continue_()

    page.route("**/tasks/**", keep)
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text(re.compile(r"recording: [1-9]")).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(re.compile("^recording.wav, ")).wait_for()
    assert page.locator(".preview audio").count() == 1
    sent(page).locator(".bars li").first.wait_for()
    body = bodies[-1]
    assert (body[:4], body[8:12]) == (b"RIFF", b"WAVE")
    assert len(body) > 2 * 16_000


@pytest.mark.parametrize("how", ["drop", "paste", "choose"])
def test_a_file_of_ones_own(watched: Watched, how: str) -> None:
    page = opened(watched, "image-classification")
    file = PACKAGE / "_samples" / "image-classification" / "three.png"
    content = base64.b64encode(file.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """content => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "mine.png", {type: "image/png"}));
            return transfer;
        }""",
        content,
    )
    if how == "drop":
        page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    elif how == "paste":
        paste = "data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, cancelable: true}))"
        page.evaluate(paste, transfer)
    else:
        page.locator("input[type=file]").set_input_files(
            {"name": "mine.png", "mimeType": "image/png", "buffer": file.read_bytes()}
        )
    page.get_by_text("mine.png, 4.3 kB").wait_for()
    assert sent(page).locator(".bars .label").first.inner_text() == "3"
    assert "@mine.png" in page.locator("section[aria-label='Code for this call'] pre").first.inner_text()


def test_an_address_in_place_of_a_file_where_the_server_fetches(watched: Watched) -> None:
    server = {"served": {"image-classification": ["one"]}, "token": True, "max_body": 1000, "fetch": True}
    watched.page.route("**/manifest.json", lambda route: route.fulfill(json=MANIFEST | {"server": server}))
    page = opened(watched, "image-classification")
    page.route("**/tasks/*", lambda route: route.fulfill(json=[]))
    page.get_by_label("address of a file").fill("https://images.example/a.png")
    with page.expect_request("**/tasks/*") as asked:
        sent(page)
    assert asked.value.post_data_json == {"inputs": "https://images.example/a.png"}
    assert not page.locator(".preview > *").count()


def test_a_file_of_another_kind_is_not_taken(watched: Watched) -> None:
    page = opened(watched, "image-classification")
    page.locator("input[type=file]").set_input_files(
        {"name": "song.wav", "mimeType": "audio/wav", "buffer": b"RIFF0000WAVE"}
    )
    page.get_by_text("song.wav is audio/wav: an image is wanted here").wait_for()


def test_a_click_in_a_transcript_plays_from_there(watched: Watched) -> None:
    page = opened(watched, "automatic-speech-recognition/command-timestamps")
    sent(page).locator(".chunks button").nth(1).click()
    start = answered(page)["chunks"][1]["timestamp"][0]
    now = page.locator(".transcript audio").evaluate("audio => audio.currentTime")
    assert now == pytest.approx(start, abs=0.2)


def test_the_code_shown_is_the_code_printed(watched: Watched, server_url: str, root: Path) -> None:
    printed = json.loads((root / "generated" / "docs" / "snippets.json").read_bytes())
    page = opened(watched, "image-classification/three-top-3")
    panel = page.get_by_role("region", name="Code for this call")
    for language in MANIFEST["languages"]:
        panel.get_by_role("tab", name=language["label"], exact=True).click()
        (wanted,) = [row for row in printed if row["id"] == f"image-classification/three-top-3/{language['id']}"]
        code = panel.locator("pre:visible").text_content()
        assert code == wanted["code"].replace(BASE_URL, server_url)
    page.locator("[data-field=top_k] input").fill("7")
    assert "top_k" in (text := panel.locator("pre:visible").inner_text()) and "7" in text


def test_one_of_several_models_is_asked_by_its_name(watched: Watched) -> None:
    task, names = next((task, names) for task, names in served(watched).items() if len(names) > 1 and task != names[-1])
    page = opened(watched, task)
    page.get_by_label("model", exact=True).select_option(names[-1])
    panel = page.get_by_role("region", name="Code for this call")
    assert f"/models/{names[-1]}" in panel.locator("pre:visible").inner_text()
    page.route("**/models/*", lambda route: route.fulfill(json=["its answer"]))
    with page.expect_request("**/models/*") as asked:
        sent(page)
    assert asked.value.url.endswith(f"/models/{names[-1]}")
    assert answered(page) == ["its answer"]


def served(watched: Watched) -> dict[str, list[str]]:
    """The models of each task, as the page is told."""
    answer = watched.page.request.get("/playground/manifest.json")
    names: dict[str, list[str]] = answer.json()["server"]["served"]
    return names


def test_a_table_is_edited_cell_by_cell(watched: Watched) -> None:
    page = opened(watched, "table-question-answering")
    bodies: list[Any] = []
    page.on("request", lambda request: bodies.append(request.post_data_json) if request.method == "POST" else None)
    page.get_by_label("row 1, Mountain").fill("Mont Blanc")
    page.get_by_role("button", name="Add a row").click()
    page.get_by_label("row 4, Mountain").fill("Säntis")
    page.get_by_role("button", name="remove row 2").click()
    page.get_by_role("button", name="remove column 3").click()
    sent(page)
    assert bodies[-1]["inputs"]["table"] == {
        "Mountain": ["Mont Blanc", "Elbrus", "Säntis"],
        "Country": ["United States", "Russia", ""],
    }


def test_tasks_are_found_by_what_people_call_them(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    also = next(task for task in MANIFEST["tasks"] if task["also"])
    page.get_by_role("searchbox").fill(also["also"][0])
    found = page.locator("aside li a")
    assert also["title"] in found.all_inner_texts()
    assert found.count() < len(MANIFEST["tasks"])
    page.get_by_role("searchbox").fill("nothing of the kind")
    page.get_by_text("No task matches.").wait_for()


def test_the_keyboard_alone_is_enough(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    page.reload()
    page.locator(".chip[aria-pressed=true]").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#text-classification")
    while page.evaluate("document.activeElement.tagName") != "TEXTAREA":
        page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("What a wonderful day")
    with page.expect_response("**/tasks/*", timeout=SLOW):
        page.keyboard.press("Control+Enter")
    page.locator(".answer-body .bars").wait_for(timeout=SLOW)
    page.get_by_role("tab", name="Answer", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Raw JSON"
    assert page.locator("pre.raw").is_visible()


def test_texts_of_specs_and_answers_stay_texts(watched: Watched) -> None:
    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    manifest = json.loads(json.dumps(MANIFEST))
    task = next(task for task in manifest["tasks"] if task["id"] == "text-classification")
    task |= {"title": attack, "summary": f"`{attack}` [{attack}](javascript:alert) [x](https://x)", "category": attack}
    task["examples"][0] |= {"title": attack, "request": {"inputs": attack}}
    definition = task["schema"]["$defs"][task["schema"]["$ref"].rpartition("/")[2]]
    definition["properties"]["inputs"]["description"] = attack
    server = {"served": {task["id"]: ["b", attack]}, "token": True, "max_body": 1000, "fetch": True}
    watched.page.route("**/manifest.json", lambda route: route.fulfill(json=manifest | {"server": server}))
    page = opened(watched, "text-classification")
    page.get_by_label("model", exact=True).select_option(attack)
    page.route("**/models/**", lambda route: route.fulfill(json=[{"label": attack, "score": 0.5}]))
    assert sent(page).locator(".label").inner_text() == attack
    assert page.get_by_role("heading", level=1).inner_text() == attack
    for bad in ("img[onerror]", "main script", "a[href^=javascript]"):
        assert page.locator(bad).count() == 0
    assert "taken" not in page.title()


@pytest.mark.parametrize("task", ["chat-completion", "object-detection", "tabular-classification", "text-generation"])
def test_it_fits_a_phone(browser: Browser, server_url: str, task: str) -> None:
    size = {"width": 360, "height": 740}
    with watched_page(browser, server_url, viewport=size, is_mobile=True, has_touch=True) as watched:
        page = opened(watched, task)
        sent(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.get_by_role("button", name="Tasks").click()
        page.get_by_role("link", name="Fill-Mask").click()
        page.get_by_role("heading", name="Fill-Mask").wait_for()
        assert not page.locator("aside").is_visible()
        assert not watched.foreign and not grave(watched)


def test_swagger_ui_executes_a_call_with_a_file(watched: Watched) -> None:
    page = watched.page
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(TOKEN)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    assert page.get_by_text("Warning").count() == 0
    operation = page.locator(".opblock[id*=image-classification-]").first
    operation.locator(".opblock-summary-control").click()
    types = operation.get_by_label("Request content type")
    (raw,) = [name for name in types.locator("option").all_inner_texts() if name != "application/json"]
    types.select_option(raw)
    operation.locator("tr[data-param-name=x-wait-for-model i] select").select_option("true")
    operation.locator("input[type=file]").set_input_files(PACKAGE / "_samples" / "image-classification" / "seven.png")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response-col_description pre").first
    answer.wait_for(timeout=SLOW)
    value = json.loads(answer.inner_text())
    validate_response(TASKS["image-classification"], value)
    assert value[0]["label"] == "7"
