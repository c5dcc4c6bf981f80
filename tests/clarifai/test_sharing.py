"""What the inputs of a call leave to each other and to other calls: memory, fetches, decoders."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from inference_tasks._runtime.server.clarifai import outputs as cutting
from inference_tasks._runtime.server.clarifai.frames import Piece
from inference_tasks._runtime.server.clarifai.turns import Part, Room
from inference_tasks._runtime.server.memory import Budget
from inference_tasks._runtime.server.problems import RequestProblem
from tests.server.live import Serve, b64, picture, until

from .asking import Alike, Scores, Shown, codes, concepts, details, predict, texts

TEXT, IMAGE, ALIKE = "text-classification", "image-classification", "sentence-similarity"
HOME = ("127.0.0.1",)
MEGAPIXEL = picture("JPEG", (1000, 1000))


# ------------------------------------------------------------------------------------------------ memory


def test_pictures_wait_for_the_memory_of_those_before_them(serve: Serve) -> None:
    """Each takes 3 MB while it waits for its answer."""
    live = serve(Shown(), max_pending=20_000_000)
    items = [{"data": {"image": {"base64": b64(MEGAPIXEL)}}}] * 40
    assert codes(predict(live, IMAGE, items, use_predict_cache=False)) == (10000, [10000] * 40)
    assert live.app.state.server.engine.budget.used == 0


def test_what_no_memory_suffices_for_is_told(serve: Serve) -> None:
    live = serve(Shown(), max_pending=1_000_000)
    items = [{"data": {"image": {"base64": b64(data)}}} for data in (MEGAPIXEL, picture())]
    answer = predict(live, IMAGE, items)
    assert codes(answer) == (10010, [11005, 10000])
    assert live.app.state.server.engine.budget.used == 0


def test_a_call_leaves_half_of_the_memory_to_others_and_an_input_alone_may_take_it() -> None:
    async def run() -> None:
        budget = Budget(100)
        room, most, begun = Room(budget), 0, []

        async def work(part: Part, size: int) -> int:
            nonlocal most
            begun.append(size)
            part.take(size)
            most = max(most, budget.used)
            await asyncio.sleep(0)
            return size

        sizes = [20, 20, 20, 80, 10, 60]
        found = await asyncio.gather(*(room.held(lambda part, size=size: work(part, size)) for size in sizes))
        assert found == sizes
        assert most == 80
        assert (budget.used, room.used) == (0, 0)
        with pytest.raises(RequestProblem, match="busy"):
            await room.held(lambda part: work(part, 101))
        with budget.share() as other:
            other.take(60)
            begun.clear()
            late = [asyncio.ensure_future(room.held(lambda part, size=size: work(part, size))) for size in (30, 30)]
            assert await asyncio.gather(*late) == [30, 30]
            assert begun == [30, 30, 30], "the second is begun again once the first has ended"
        left = asyncio.ensure_future(room.held(lambda part: asyncio.sleep(60)))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        assert await room.held(lambda part: work(part, 90)) == 90

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------ fetches


class Slow:
    """A site whose pages come once it is opened, but for ``/now``; `seen` are those that were asked for."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.opened = threading.Event()
        slow = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                slow.seen.append(self.path)
                if self.path != "/now":
                    slow.opened.wait(20)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"cat=0.5" if self.path != "/now" else picture())

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()


@pytest.fixture
def slow() -> Iterator[Slow]:
    site = Slow()
    yield site
    site.opened.set()
    site.server.shutdown()
    site.thread.join()
    site.server.server_close()


def remote(site: Slow, *pages: str) -> list[dict[str, Any]]:
    return [{"data": {"text": {"url": f"{site.url}/{page}"}}} for page in pages]


def test_a_call_leaves_fetches_to_others(serve: Serve, slow: Slow) -> None:
    live = serve(Scores(), Shown(), fetch=HOME, max_queue=4)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(predict, live, TEXT, remote(slow, *map(str, range(64))))
        until(lambda: len(slow.seen) == 4)
        own = live.post(f"/tasks/{IMAGE}", json={"inputs": f"{slow.url}/now"})
        assert own.status_code == 200, own.text
        assert len(slow.seen) == 5
        assert codes(predict(live, TEXT, texts("cat=1"))) == (10000, [10000]), "what is fetched waits for no model"
        slow.opened.set()
        assert codes(call.result(20)) == (10000, [10000] * 64)


def test_the_parts_of_an_input_are_fetched_side_by_side_and_in_one_time(serve: Serve, slow: Slow) -> None:
    live = serve(Alike(), fetch=HOME, fetch_timeout=0.5)
    parts = remote(slow, *map(str, range(40)))
    answer = predict(live, ALIKE, [{"data": {"text": {"raw": "x"}, "parts": parts}}])
    assert codes(answer) == (10020, [30002]), details(answer)
    assert "within 0.5 seconds" in details(answer)
    assert len(slow.seen) == 4
    slow.opened.set()
    answer = predict(live, ALIKE, [{"data": {"text": {"raw": "x"}, "parts": parts}}])
    assert answer.json()["outputs"][0]["data"]["embeddings"][0]["vector"] == [0.007] * 40


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"text": {"url": 3}}, 30106, "data.parts.3.data.text.url: must be a text"),
        ({"text": {"url": "http://127.0.0.1:99999/"}}, 30106, "data.parts.3.data.text.url: is no URL"),
        ({"text": {}, "image": {"url": "https://example.org"}}, 30101, "data.parts.3.data.image: does not fit"),
        ({"text": {"raw": "x", "url": "https://example.org"}}, 30104, "data.parts.3.data.text: must have either"),
    ],
)
def test_nothing_is_fetched_for_an_input_that_is_refused(
    serve: Serve, slow: Slow, wrong: Any, code: int, message: str
) -> None:
    live = serve(Alike(), fetch=HOME, max_texts=4)
    slow.opened.set()
    parts = remote(slow, "a", "b", "c")
    answer = predict(live, ALIKE, [{"data": {"text": {"raw": "x"}, "parts": [*parts, {"data": wrong}]}}])
    assert codes(answer) == (10020, [code])
    assert message in details(answer)
    answer = predict(live, ALIKE, [{"data": {"text": {"raw": "x"}, "parts": parts * 2}}])
    assert codes(answer) == (10020, [30105])
    assert details(answer) == "data.parts: are more than 4"
    assert slow.seen == []


@pytest.mark.parametrize(
    "url", ["AAAA" * 50, " data:image/png;base64,AAAA", "https://me:secret@example.org/", "x" * 9000]
)
def test_what_is_no_url_does_not_come_back(serve: Serve, url: str) -> None:
    answer = predict(serve(Shown()), IMAGE, [{"data": {"image": {"url": url}}}])
    assert codes(answer) == (10020, [30106])
    assert answer.json()["outputs"][0]["input"]["data"] == {"image": {}}
    assert url.strip() not in answer.text


# ------------------------------------------------------------------------------------------------ videos

VIDEO = {"data": {"video": {"base64": "AAAA"}}}


class Cuts:
    """Stands for what cuts videos: two pieces each, the second one once it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on = threading.Event()
        self.begun = 0
        monkeypatch.setattr(cutting, "pictures", self)

    def __call__(self, *_: Any) -> Iterator[Piece]:
        self.begun += 1
        yield Piece(0, 500, picture())
        assert self.go_on.wait(20)
        yield Piece(1, 1500, picture())


def test_videos_leave_decoders_to_others_and_are_asked_for_as_they_are_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = Cuts(monkeypatch)
    seen: list[Any] = []

    class Seen(Shown):
        def __call__(self, inputs: Any, parameters: Any) -> Any:
            seen.append(inputs)
            return super().__call__(inputs, parameters)

    live = serve(Seen(), decode_threads=2, cache_size=0)
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(predict, live, IMAGE, [VIDEO, VIDEO]) for _ in range(2)]
        until(lambda: len(seen) == 1)
        own = live.post(f"/tasks/{IMAGE}", json={"inputs": b64(picture())})
        assert own.status_code == 200, own.text
        assert cuts.begun == 1, "one video at a time"
        cuts.go_on.set()
        for call in calls:
            answer = call.result(20)
            assert codes(answer) == (10000, [10000, 10000])
            assert [len(output["data"]["frames"]) for output in answer.json()["outputs"]] == [2, 2]
    assert live.app.state.server.engine.budget.used == 0


def test_cutting_has_a_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = Cuts(monkeypatch)
    live = serve(Shown(), deadline=0.5)
    answer = predict(live, IMAGE, [VIDEO, VIDEO])
    assert codes(answer) == (40032, [40032, 40032])
    cuts.go_on.set()
    assert codes(predict(live, IMAGE, [VIDEO])) == (10000, [10000])
    assert live.app.state.server.engine.budget.used == 0


def test_a_model_that_takes_frames_says_so(serve: Serve) -> None:
    answer = predict(serve(Shown(), Scores()), IMAGE, [{}])
    assert details(answer).endswith("data.image (url or base64), or data.video (url or base64) in place of the image")
    assert concepts(predict(serve(Scores()), TEXT, texts("cat=1"))) == [("cat", 1.0)]
