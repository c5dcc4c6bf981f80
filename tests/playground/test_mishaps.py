"""What goes wrong around the playground, or is done in an order that nobody planned, in a real browser."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import Watched
from tests.support.server import TOKEN, TOKEN_VARIABLE

from .conftest import MANIFEST, PACKAGE
from .test_browser import answered, opened, sent

if TYPE_CHECKING:
    from playwright.sync_api import JSHandle, Page

SAMPLES = PACKAGE / "_samples"
SEVEN = SAMPLES / "image-classification" / "seven.png"
BOX = {"label": "a", "score": 0.5, "box": {"xmin": 1, "ymin": 1, "xmax": 9, "ymax": 9}}
TRACKS = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.tracks = [];
    navigator.mediaDevices.getUserMedia = async wanted => {
        await new Promise(done => setTimeout(done, 200));
        const stream = await open(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
    };
"""
"""Opens the microphone slowly, and keeps what was opened."""
URLS = """
    window.urls = new Set();
    const [make, free] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = blob => { const url = make(blob); window.urls.add(url); return url; };
    URL.revokeObjectURL = url => { free(url); window.urls.delete(url); };
"""
"""Keeps the addresses of files that are not freed."""


def stand_in(watched: Watched, answer: Any) -> None:
    """Answers every call in place of the server."""
    body = json.dumps(answer)
    watched.page.route(re.compile("/(tasks|models)/"), lambda route: route.fulfill(body=body))


def changed_manifest(watched: Watched, change: Callable[[dict[str, Any]], None], **server: Any) -> None:
    """Shows the page another manifest: `change` is given all tasks by id; `server` is known of the server."""
    manifest = json.loads(json.dumps(MANIFEST))
    change({task["id"]: task for task in manifest["tasks"]})
    told = {"served": {task["id"]: ["one"] for task in manifest["tasks"]}, "token": True, "max_body": 10**7} | server
    watched.page.route("**/manifest.json", lambda route: route.fulfill(json=manifest | {"server": told}))


def members(task: dict[str, Any]) -> dict[str, Any]:
    """The members that the schema of a task's request has."""
    found: dict[str, Any] = task["schema"]["$defs"][task["schema"]["$ref"].rpartition("/")[2]]["properties"]
    return found


def expected(watched: Watched, *said: str) -> None:
    """Takes what was to be said on the console out of the complaints; all of it was said."""
    for text in said:
        assert any(text in complaint for complaint in watched.complaints), watched.complaints
    watched.complaints = [text for text in watched.complaints if not any(one in text for one in said)]


def transfer(page: Page, path: Path, kind: str) -> JSHandle:
    """A file as it is dragged or pasted."""
    return page.evaluate_handle(
        """([content, name, type]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, {type}));
            return transfer;
        }""",
        [base64.b64encode(path.read_bytes()).decode(), path.name, kind],
    )


# The request


def test_the_code_shown_sends_what_the_form_sends(watched: Watched, server_url: str) -> None:
    """Of each task as it is opened; but that the form asks for events where it can, which is said beside the code."""
    page = opened(watched, MANIFEST["tasks"][0]["id"])
    stand_in(watched, [])
    for task in MANIFEST["tasks"]:
        page.evaluate("id => location.hash = id", task["id"])
        page.get_by_role("heading", name=task["title"], exact=True, level=1).wait_for()
        if samples := task["examples"][0]["samples"]:
            page.locator(".preview > *").nth(len(samples) - 1).wait_for()
        panel = page.get_by_role("region", name="Code for this call")
        panel.get_by_role("tab", name="cURL").click()
        with page.expect_request(lambda request: request.method == "POST") as asked:
            sent(page)
        url, headers, body = posted_by(panel.locator("pre:visible").text_content() or "", task)
        assert asked.value.url == url, task["id"]
        own = {name: value for name, value in asked.value.headers.items() if name.startswith("x-")}
        assert own == {}, task["id"]
        for name, value in headers.items():
            assert asked.value.headers[name] == value, task["id"]
        if headers["content-type"] != "application/json":
            assert asked.value.post_data_buffer == body, task["id"]
            continue
        form = asked.value.post_data_json
        assert form.pop("stream", False) is task["streams"], task["id"]
        assert form == json.loads(body), task["id"]
        assert panel.get_by_text('also sends "stream": true').count() == task["streams"], task["id"]


def posted_by(code: str, task: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """URL, headers and body that a program in shell hands to curl, in the folder of the task's samples."""
    script = f'curl() {{ printf "%s\\0" "$@"; cat; }}\n{code}'
    environment = os.environ | {TOKEN_VARIABLE: TOKEN}
    samples = task["examples"][0]["samples"]
    folder = (SAMPLES / samples[0]["path"]).parent if samples else SAMPLES
    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr
    *arguments, body = done.stdout.split(b"\0")
    words = [word.decode() for word in arguments]
    lines = [words[at + 1].partition(": ") for at, word in enumerate(words) if word == "--header"]
    source = words[words.index("--data-binary") + 1].removeprefix("@")
    headers = {name.lower(): value for name, _, value in lines}
    return words[-1], headers, body if source == "-" else (folder / source).read_bytes()


def test_a_model_that_is_being_loaded_is_waited_for(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    calls: list[str] = []

    def answer(route: Any) -> None:
        calls.append(route.request.post_data)
        loading = {"error": "model 'm' is loading", "estimated_time": 0.3}
        route.fulfill(status=503, json=loading) if len(calls) < 3 else route.fulfill(json=[{"label": "x", "score": 1}])

    page.route("**/tasks/*", answer)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("The model is being loaded (about 1 s more)").wait_for()
    page.locator(".bars li").wait_for()
    assert page.get_by_role("status").inner_text().startswith("200 · ")
    assert len(calls) == 3 and len(set(calls)) == 1
    page.unroute("**/tasks/*")
    page.route("**/tasks/*", lambda route: route.fulfill(status=503, json={"error": "e", "estimated_time": 60}))
    page.get_by_role("button", name="Send").click()
    page.get_by_text("The model is being loaded (about 60 s more)").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()


def test_what_is_wrong_inside_a_choice_is_said(watched: Watched) -> None:
    def change(tasks: dict[str, Any]) -> None:
        members(tasks["text-classification"])["extra"] = {"anyOf": [{"type": "object"}, {"type": "string"}]}

    changed_manifest(watched, change)
    page = opened(watched, "text-classification")
    stand_in(watched, [])
    field = page.locator("[data-field=extra]")
    field.locator("select").first.select_option("0")
    field.locator("textarea").fill("{bad")
    page.get_by_role("button", name="Send").click()
    field.get_by_text("is no JSON").wait_for()
    code = page.get_by_role("region", name="Code for this call")
    code.get_by_text("Something in the form is wrong").wait_for()
    assert code.locator(".tabbed").evaluate("panel => panel.inert")
    field.locator("textarea").fill('{"good": 1}')
    assert not field.locator(".error").is_visible()
    assert '"good": 1' in (code.locator("pre:visible").text_content() or "")
    with page.expect_request("**/tasks/*") as asked:
        sent(page)
    assert asked.value.post_data_json["extra"] == {"good": 1}


def test_the_enter_that_ends_a_character_adds_no_item(watched: Watched) -> None:
    page = opened(watched, "sentence-similarity")
    items = page.locator(".list.of-text textarea")
    before = items.count()
    press = """(box, isComposing) =>
        box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, isComposing}))"""
    items.first.evaluate(press, True)
    assert items.count() == before
    items.first.evaluate(press, False)
    assert items.count() == before + 1


def test_a_token_that_no_header_can_hold_is_refused_at_its_field(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    stand_in(watched, [{"label": "x", "score": 1}])
    token = page.get_by_label("Token", exact=True)
    token.fill("пароль")
    page.get_by_role("button", name="Send").click()
    assert "cannot be sent" in token.evaluate("field => field.validationMessage")
    assert token.evaluate("field => field === document.activeElement")
    assert not any("/tasks/" in url for url in watched.requests)
    token.fill(TOKEN)
    sent(page).locator(".bars li").wait_for()


# The answer


def test_a_server_that_is_gone_is_called_so_and_nothing_else_is(watched: Watched) -> None:
    page = opened(watched, "text-classification")
    page.route("**/tasks/*", lambda route: route.abort())
    page.get_by_role("button", name="Send").click()
    page.get_by_text("The server could not be reached.").wait_for()
    expected(watched, "net::ERR_FAILED")
    page.unroute("**/tasks/*")
    page.route("**/tasks/*", lambda route: route.fulfill(status=200, body="<p>hello", content_type="text/html"))
    body = sent(page)
    assert page.get_by_role("status").inner_text().startswith("200 · ")
    assert body.locator(".text").inner_text() == "<p>hello"


def test_an_answer_that_cannot_be_drawn_is_shown_as_it_came(watched: Watched) -> None:
    page = opened(watched, "chat-completion")
    stand_in(watched, None)
    assert "cannot be drawn" in sent(page).inner_text()
    assert page.get_by_role("status").inner_text().startswith("200 · ")
    assert answered(page) is None


def test_the_form_may_change_while_an_answer_is_waited_for(watched: Watched) -> None:
    watched.page.add_init_script(URLS)
    page = opened(watched, "object-detection")
    waiting: list[Any] = []
    page.route("**/tasks/*", lambda route: waiting.append(route))
    counts = []
    for _ in range(2):
        with page.expect_request("**/tasks/*"):
            page.get_by_role("button", name="Send").click()
        page.locator("input[type=file]").set_input_files(SEVEN)
        page.get_by_text("seven.png, ").wait_for()
        waiting.pop().fulfill(json=[BOX])
        page.locator(".answer-card[aria-busy=false] .stage img").wait_for()
        width = "image => image.decode().then(() => image.naturalWidth)"
        assert page.locator(".stage img").evaluate(width) > 0
        counts.append(page.evaluate("urls.size"))
    assert counts[0] == counts[1] == 2, "the preview and the answer have one each"
    page.evaluate("location.hash = 'text-classification'")
    page.get_by_role("heading", name="Text Classification", level=1).wait_for()
    assert page.evaluate("urls.size") == 0


def test_boxes_are_drawn_on_a_file_that_is_still_in_the_form(watched: Watched) -> None:
    def change(tasks: dict[str, Any]) -> None:
        task = tasks["object-detection"]
        members(task)["inputs"] = {"type": "array", "items": members(task)["inputs"], "minItems": 1}
        for example in task["examples"]:
            example["request"]["inputs"] = ["x"]
            for sample in example["samples"]:
                sample["place"] = [*sample["place"], "0"]
        task["takes_file"] = False

    changed_manifest(watched, change)
    page = opened(watched, "object-detection")
    stand_in(watched, [BOX])
    second = MANIFEST["tasks"][[task["id"] for task in MANIFEST["tasks"]].index("object-detection")]["examples"][1]
    page.locator(f".chip[data-example={second['name']}]").click()
    name = second["samples"][0]["path"].rpartition("/")[2]
    page.get_by_text(f"{name}, ").wait_for()
    sent(page)
    pixels = """async image => {
        await image.decode();
        const canvas = Object.assign(document.createElement("canvas"), {width: 32, height: 32});
        canvas.getContext("2d").drawImage(image, 0, 0, 32, 32);
        return canvas.toDataURL();
    }"""
    assert page.locator(".stage img").evaluate(pixels) == page.locator(".preview img").evaluate(pixels)
    page.evaluate(
        "data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, cancelable: true}))",
        transfer(page, SEVEN, "image/png"),
    )
    page.get_by_text("seven.png, ").wait_for()


def test_the_answer_of_each_row_is_in_sight(watched: Watched) -> None:
    page = opened(watched, "tabular-classification")
    cell = sent(page).locator("td.strong").first
    inside = """cell => {
        const [own, frame] = [cell, cell.closest(".scroll")].map(one => one.getBoundingClientRect());
        return [own.left >= frame.left, own.right <= frame.right + 1, cell.closest(".scroll").scrollLeft];
    }"""
    assert cell.evaluate(inside) == [True, True, 0]


def test_code_is_copied_where_there_is_no_clipboard(watched: Watched) -> None:
    watched.page.add_init_script(
        """
        Object.defineProperty(Navigator.prototype, "clipboard", {value: undefined});
        document.addEventListener("copy", () => window.copied = getSelection().toString());
        """
    )
    page = opened(watched, "text-classification")
    panel = page.get_by_role("region", name="Code for this call")
    panel.locator(".copy:visible").click()
    panel.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("copied").strip() == (panel.locator("pre:visible").text_content() or "").strip()


# The page


def test_tasks_that_are_not_served_come_last(watched: Watched) -> None:
    last = MANIFEST["tasks"][-1]
    changed_manifest(watched, lambda tasks: None, served={last["id"]: ["one"]})
    watched.page.goto("/playground")
    watched.page.get_by_role("heading", name=last["title"], level=1).wait_for()
    assert watched.page.locator("aside li a").first.inner_text() == last["title"]
    headings = [text.lower() for text in watched.page.locator("aside h2").all_inner_texts()]
    assert headings == [last["category"].lower() or "tasks", "not served here"]


def test_a_page_without_its_tasks_says_so(watched: Watched) -> None:
    watched.page.route("**/manifest.json", lambda route: route.fulfill(status=500, body="x"))
    watched.page.goto("/playground")
    watched.page.get_by_role("alert").get_by_text("could not be loaded: the server answered 500").wait_for()
    expected(watched, "status of 500", "the server answered 500")


def test_a_sample_that_is_not_there_is_no_file(watched: Watched) -> None:
    watched.page.route("**/samples/**", lambda route: route.fulfill(status=404, json={"error": "no such page"}))
    page = opened(watched, "image-classification")
    page.locator("[data-field=inputs] .error").get_by_text("the server answered 404").wait_for()
    assert page.locator(".preview > *").count() == 0
    expected(watched, "status of 404")


def test_a_file_dropped_beside_the_zone_is_taken_too(watched: Watched) -> None:
    page = opened(watched, "image-classification")
    dropped = """(heading, transfer) => ["dragover", "drop"].map(type => {
        const event = new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: transfer});
        heading.dispatchEvent(event);
        return event.defaultPrevented;
    })"""
    heading = page.get_by_role("heading", level=1)
    assert heading.evaluate(dropped, transfer(page, SEVEN, "image/png")) == [True, True]
    page.get_by_text("seven.png, ").wait_for()
    assert heading.evaluate(dropped, transfer(page, SEVEN, "audio/wav")) == [True, True]
    page.get_by_text("seven.png is audio/wav: an image is wanted here").wait_for()


def test_a_file_is_chosen_by_one_button(watched: Watched) -> None:
    page = opened(watched, "image-classification")
    size = page.locator("input[type=file]").bounding_box()
    assert size is not None and size["width"] <= 1, "the browser's own would say that no file is chosen"
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose an image").click()
    chooser.value.set_files(SEVEN)
    page.get_by_text("seven.png, ").wait_for()


# The microphone


def states(page: Page) -> list[str]:
    found: list[str] = page.evaluate("tracks.map(track => track.readyState)")
    return found


@pytest.mark.parametrize("when", ["opening", "recording"])
def test_the_microphone_is_off_once_its_task_is_left(watched: Watched, when: str) -> None:
    watched.page.add_init_script(TRACKS)
    page = opened(watched, "audio-classification")
    page.get_by_role("button", name="Record", exact=True).click()
    if when == "recording":
        page.get_by_text("recording: 0.").wait_for()
    page.evaluate("location.hash = 'text-classification'")
    page.get_by_role("heading", name="Text Classification", level=1).wait_for()
    for _ in range(100):
        if states(page) == ["ended"]:
            break
        page.wait_for_timeout(50)
    assert states(page) == ["ended"]


def test_the_microphone_is_off_once_another_file_is_chosen(watched: Watched) -> None:
    watched.page.add_init_script(TRACKS)
    page = opened(watched, "audio-classification")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text("recording: 0.").wait_for()
    page.locator(".chip").nth(0).click()
    page.get_by_role("button", name="Record", exact=True).wait_for()
    assert states(page) == ["ended"]


def test_a_double_click_is_one_recording(watched: Watched) -> None:
    watched.page.add_init_script(TRACKS)
    page = opened(watched, "audio-classification")
    page.get_by_role("button", name="Record", exact=True).dblclick()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Record", exact=True).wait_for()
    page.get_by_text(re.compile("^(recording.wav, |nothing was recorded: )")).wait_for()
    assert states(page) == ["ended"]


def test_a_recording_of_nothing_is_told_and_can_be_repeated(watched: Watched) -> None:
    watched.page.add_init_script("AudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('empty'));")
    page = opened(watched, "audio-classification")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("nothing was recorded: empty").wait_for()
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Stop").wait_for()
