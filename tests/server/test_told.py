"""What the docs tell of every server, asked of a running one."""

from __future__ import annotations

import re

from taskbind.view.service import REQUEST_HEADERS, RESPONSE_HEADERS
from tests.conftest import ROOT

from .live import Echo, Serve, Size

TOLD = {header.name: header.doc for header in RESPONSE_HEADERS}
DOCS = ROOT / "generated" / "docs"


def test_x_cache_says_what_the_docs_say(serve: Serve) -> None:
    live = serve(Echo())
    states = [live.text("a").headers["x-cache"] for _ in range(2)]
    states.append(live.text("a", x_use_cache="false").headers["x-cache"])
    assert states == ["miss", "hit", "bypass"]
    assert re.findall(r"`(\w+)` if (the answer was given before|nothing was looked up|not)", TOLD["x-cache"]) == [
        ("hit", "the answer was given before"),
        ("miss", "not"),
        ("bypass", "nothing was looked up"),
    ]


def test_every_answer_has_a_name_and_its_seconds(serve: Serve) -> None:
    live = serve(Echo(), token="secret")
    refused = live.text("a")
    assert refused.status_code == 401
    assert 0 <= float(refused.headers["x-compute-time"]) < 60
    assert all("On every answer" in TOLD[name] and refused.headers[name] for name in ("x-request-id", "x-compute-time"))


def test_a_name_of_ones_own_has_the_form_that_the_docs_say(serve: Serve) -> None:
    live = serve(Echo())
    said = next(header.values for header in REQUEST_HEADERS if header.name == "x-request-id")
    longest = int(re.findall(r"1 to (\d+) letters, digits, `_` and `-`", said)[0])
    for name, kept in (("a_1-B", True), ("a" * longest, True), ("a" * (longest + 1), False), ("a b", False)):
        assert (live.text("a", x_request_id=name).headers["x-request-id"] == name) is kept


def test_a_url_on_a_page_can_be_fetched_with_the_option_on_it(serve: Serve) -> None:
    page = (DOCS / "image-classification.md").read_text(encoding="utf-8")
    option = re.findall(r"`--fetch (\S+)`", page)[0]
    url = re.findall(r"http://localhost:8000(/samples/\S+?\.png)", page)[0]
    live = serve(Size(), fetch=(option,))
    request = {"inputs": f"http://localhost:{live.port}{url}"}
    answer = live.post("/tasks/image-classification", json=request)
    assert answer.status_code == 200, answer.text
    assert serve(Size()).post("/tasks/image-classification", json=request).status_code == 422
