"""On Ray Serve, the server answers what the one process answers, and loses no request when a replica dies."""

from __future__ import annotations

import base64
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("ray.serve", reason="ray is not installed here: `nox -s ray` has an environment of its own")

from inference_tasks import Client
from inference_tasks.ray import Resources, Serving, create_app
from tests.server.live import picture

from .conftest import CORES, Cluster, until
from .handlers import Slow

TEXT = "/tasks/text-classification"
IMAGE = "/tasks/image-classification"
WRITE = "/tasks/text-generation"
PICTURE = picture(size=(48, 48))
GREEDY = {"do_sample": False, "max_new_tokens": 4}

REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a text": ("POST", TEXT, {"json": {"inputs": "what a lovely day"}}),
    "its parameters": ("POST", TEXT, {"json": {"inputs": "bad", "parameters": {"top_k": 1}}}),
    "by the model's name": ("POST", "/models/text-classification", {"json": {"inputs": "bad"}}),
    "an image's bytes": ("POST", IMAGE, {"content": PICTURE, "headers": {"content-type": "image/png"}}),
    "an image in base64": ("POST", IMAGE, {"json": {"inputs": base64.b64encode(PICTURE).decode()}}),
    "a written text": ("POST", WRITE, {"json": {"inputs": "Once", "parameters": GREEDY}}),
    "a stream": ("POST", WRITE, {"json": {"inputs": "Once", "stream": True, "parameters": GREEDY}}),
    "huggingface": ("POST", "/huggingface/models/text-classification", {"json": {"inputs": "good"}}),
    "huggingface, an image": ("POST", "/huggingface/models/image-classification", {"content": PICTURE}),
    "huggingface, a stream": (
        "POST",
        "/huggingface/models/text-generation",
        {"json": {"inputs": "Once", "stream": True, "parameters": GREEDY}},
    ),
    "not JSON": ("POST", TEXT, {"content": b"{", "headers": {"content-type": "application/json"}}),
    "no inputs": ("POST", TEXT, {"json": {}}),
    "a wrong type": ("POST", TEXT, {"json": {"inputs": 7}}),
    "a wrong parameter": ("POST", TEXT, {"json": {"inputs": "x", "parameters": {"top_k": 0}}}),
    "no image": ("POST", IMAGE, {"content": b"GIF89a nothing", "headers": {"content-type": "image/gif"}}),
    "what the model refuses": ("POST", WRITE, {"json": {"inputs": "x" * 600, "parameters": GREEDY}}),
    "no such model": ("POST", "/models/nobody", {"json": {"inputs": "x"}}),
    "no such page": ("GET", "/nothing", {}),
    "a wrong method": ("GET", TEXT, {}),
    "a compressed body": ("POST", TEXT, {"content": b"x", "headers": {"content-encoding": "gzip"}}),
    "a bad header": ("POST", TEXT, {"json": {"inputs": "x"}, "headers": {"x-use-cache": "maybe"}}),
    "health": ("GET", "/health", {}),
    "ready": ("GET", "/ready", {}),
    "the document": ("GET", "/openapi.json", {}),
    "the playground": ("GET", "/playground", {}),
    "a sample": ("GET", "/samples/image-classification/three.png", {}),
    "the models": ("GET", "/v1/models", {}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_answers_what_the_one_process_answers(cluster: Cluster, one_process: Any, name: str) -> None:
    method, path, options = REQUESTS[name]
    there = cluster.client.request(method, path, **options)
    here = one_process.request(method, path, **options)
    assert (there.status_code, there.text) == (here.status_code, here.text)
    for header in ("content-type", "x-cache", "allow", "retry-after"):
        assert there.headers.get(header) == here.headers.get(header)


def test_the_labels_of_a_model_elsewhere_are_known(cluster: Cluster) -> None:
    response = cluster.client.get("/clarifai/v2/models/pair/output_info", params={"language": "de"})
    found = response.raise_for_status().json()["model"]["output_info"]["data"]["concepts"]
    assert [(concept["id"], concept["name"]) for concept in found] == [("one", "eins"), ("two", "two")]


def test_an_answer_has_one_id_and_its_time(cluster: Cluster) -> None:
    response = cluster.post(TEXT, json={"inputs": "x"}, headers={"x-request-id": "mine"})
    assert response.headers.get_list("x-request-id") == ["mine"]
    assert float(response.headers["x-compute-time"]) > 0


def test_equal_requests_are_answered_from_the_cache(cluster: Cluster) -> None:
    request = {"inputs": "said twice"}
    assert [cluster.post(TEXT, json=request).headers["x-cache"] for _ in range(2)] == ["miss", "hit"]


def ask(cluster: Cluster, model: str, count: int, at_once: int) -> list[httpx.Response]:
    """The answers to `count` requests."""

    def one(number: int) -> httpx.Response:
        return cluster.post(f"/models/{model}", json={"inputs": f"number {number}"})

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(one, range(count)))


def pids(responses: list[httpx.Response]) -> set[int]:
    """The processes that answered."""
    assert {response.status_code for response in responses} == {200}
    return {int(response.json()[0]["label"]) for response in responses}


def test_a_replica_answers_requests_together(cluster: Cluster) -> None:
    answers = ask(cluster, "pair", 40, 16)
    assert len(pids(answers)) == 2
    assert max(answer.json()[0]["score"] for answer in answers) > 1
    page = cluster.client.get("/metrics").text
    found = re.findall(r'^inference_batch_size_(sum|count)\{model="pair",replica="\w+"\} (.+)$', page, re.MULTILINE)
    values = {name: float(value) for name, value in found}
    assert values["sum"] >= 40
    assert values["sum"] > values["count"]


def by_process(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def by_actor(pid: int) -> None:
    import ray
    from ray.util import list_named_actors

    found = [ray.get_actor(**actor) for actor in list_named_actors(all_namespaces=True) if "pair" in actor["name"]]
    (victim,) = (actor for actor in found if ray.get(actor.__ray_call__.remote(lambda replica: os.getpid())) == pid)
    ray.kill(victim)


@pytest.mark.parametrize("kill", [by_process, by_actor])
def test_a_replica_that_dies_loses_no_request(cluster: Cluster, kill: Callable[[int], None]) -> None:
    until(lambda: cluster.replicas("pair") == 2, 60)
    victim = pids(ask(cluster, "pair", 16, 16)).pop()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(ask, cluster, "pair", 400, 16)
        time.sleep(0.5)
        assert not running.done()
        kill(victim)
        answers = running.result()
    assert len(answers) == 400
    assert victim in pids(answers)
    assert pids(answers) - {victim}


def test_the_only_replica_dies_and_its_requests_wait_for_the_next(cluster: Cluster) -> None:
    (victim,) = pids(ask(cluster, "queue", 1, 1))
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(ask, cluster, "queue", 6, 6)
        time.sleep(0.4)
        by_process(victim)
        assert victim not in pids(running.result()[-1:])


def test_a_stream_whose_replica_dies_says_so(cluster: Cluster) -> None:
    with cluster.client.stream("POST", "/models/counting", json={"inputs": "x", "stream": True}) as response:
        events = response.iter_lines()
        first = next(events)
        by_process(int(first.split('"text":"')[1].split('"')[0]))
        rest = [line for line in events if line]
    assert rest[-1] == 'data: {"error": "internal error"}'


def test_a_stream_that_is_left_is_closed(cluster: Cluster) -> None:
    cluster.closed.unlink(missing_ok=True)
    with cluster.client.stream("POST", "/models/counting", json={"inputs": "x", "stream": True}) as response:
        assert next(response.iter_lines()).startswith("data: ")
    until(cluster.closed.exists)


def test_a_client_that_leaves_takes_its_request_along(cluster: Cluster) -> None:
    with ThreadPoolExecutor(3) as threads:
        ahead = [threads.submit(cluster.post, "/models/queue", json={"inputs": f"ahead {n}"}) for n in range(3)]
        time.sleep(0.1)
        with pytest.raises(httpx.ReadTimeout):
            cluster.post("/models/queue", json={"inputs": "gone"}, timeout=0.2)
        assert all(answer.result().status_code == 200 for answer in ahead)
    assert cluster.post("/models/queue", json={"inputs": "after"}).status_code == 200
    asked = cluster.log.read_text(encoding="utf-8").split("\n")
    assert "after" in asked
    assert "gone" not in asked


def test_too_many_requests_are_refused(cluster: Cluster) -> None:
    answers = ask(cluster, "queue", 40, 40)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json() == {"error": "the server is busy: 16 requests are waiting"}


def test_a_new_version_takes_over_and_no_request_is_lost(cluster: Cluster) -> None:
    from ray import serve

    def deploy(seconds: float) -> None:
        models = [Slow("inside", seconds, 1), Slow("apart", seconds, 1)]
        apart = {"apart": Resources(cpus=CORES)}
        app = create_app(models, settings=Serving(cpus=CORES), resources=apart)
        serve.run(app, name="versions", route_prefix="/versions")

    def ask_until(replaced: threading.Event, model: str) -> list[httpx.Response]:
        answers = []
        while not replaced.is_set():
            answers.append(cluster.post(f"/versions/models/{model}", json={"inputs": "x"}))
        return answers

    deploy(0.3)
    replaced = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask_until, replaced, model) for model in ("inside", "apart") for _ in range(2)]
        try:
            deploy(0.31)
        finally:
            replaced.set()
        for one in asking:
            assert len(pids(one.result())) == 2
    serve.delete("versions")


@pytest.mark.parametrize(("finish", "status"), [(10, 200), (0.1, 500)])
def test_what_ends_is_finished_as_long_as_that_may_take(
    cluster: Cluster, tmp_path: Path, finish: float, status: int
) -> None:
    from ray import serve

    log = tmp_path / "log"
    app = create_app([Slow("slow", 3, 1, log)], settings=Serving(cpus=CORES, finish=finish))
    serve.run(app, name="ending", route_prefix="/ending")
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(cluster.post, "/ending/models/slow", json={"inputs": "x"})
        until(log.exists)
        serve.delete("ending")
        assert answer.result().status_code == status


def test_there_are_more_replicas_under_load(cluster: Cluster) -> None:
    until(lambda: cluster.replicas("growing") == 2, 90)


def test_our_client_repeats_what_a_replica_of_the_ingress_takes_along(cluster: Cluster) -> None:
    from ray import serve

    app = create_app([Slow("inside", 0.05, 4)], settings=Serving(replicas=2, cpus=CORES))
    serve.run(app, name="front", route_prefix="/front")
    try:
        with Client(f"{cluster.client.base_url}/front", max_retries=5) as client, ThreadPoolExecutor(8) as threads:

            def one(number: int) -> int:
                return int(client.text_classification(f"number {number}", model="inside", use_cache=False)[0].label)

            until(lambda: len(set(threads.map(one, range(8)))) == 2, 60)
            victim = one(0)
            running = [threads.submit(one, number) for number in range(200)]
            until(lambda: any(answer.done() for answer in running))
            by_process(victim)
            answers = [answer.result() for answer in running]
        assert victim in answers
        assert set(answers) - {victim}
    finally:
        serve.delete("front")
