"""PostModelOutputs: what one model says to each of several inputs, asked for together so that it answers them together.

Each input counts as a request of its model. An input has its answer within ``deadline`` from when its data are here:
at once, or fetched, for which the whole call has ``fetch_timeout`` more. So no call takes longer than both together.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.types import Message, Receive

from ...clarifai.codes import Code, http_status
from ..body import Patience
from ..calls import Call, Interpreter, decode_base64
from ..decode import image_size
from ..engine import Engine
from ..frame import CLIENT_LEFT
from ..memory import NoRoom
from ..problems import RequestProblem, too_late
from ..trace import Trace, new_id
from .catalogue import Catalogue, Served
from .concepts import pick, unknown
from .frames import Piece, clips, pictures
from .inputs import MAX_ID, MAX_INPUTS, Data, echoed, fetches, filled, given, weight
from .options import DEFAULT_SAMPLE_MS, Options, options
from .pieces import Cutter
from .problems import OF_THE_CALL, Problem, Reply, of_request_problem, status
from .turns import Admission, Gate, Part, Room

log = logging.getLogger(__name__)

INLINE_DATA: Final = 1 << 16
"""Larger data are gone through in a thread, as everything else is decoded."""
IMAGE: Final = "data.image.base64"
VIDEO: Final = "data.video.base64"
MAX_TOLD: Final = 100
"""How many characters of a name that nobody knows are told in a message."""
MAX_DETAILS: Final = 1000
"""How many characters a message has at most."""
RETRY_AFTER: Final = "retry-after"
FETCHES: Final = 4
"""How many URLs of one call are fetched at once: others have theirs."""
AGAIN_SECONDS: Final = 0.1
"""When a model is asked again whose queue was full."""
ONE_LANGUAGE: Final = "language: this model's concepts have the names that it gives them, and none in any language"


@dataclass
class _Answered:
    """The output to one input, and what went wrong with it."""

    output: Data
    problem: Problem | None = None

    def fail(self, problem: Problem) -> None:
        """It is not answered, but for that."""
        self.problem = problem
        self.output.pop("data", None)
        self.output["status"] = status(problem.code, problem.details)


@dataclass(frozen=True)
class _Asked:
    """One call of many inputs."""

    served: Served
    interpreter: Interpreter
    options: Options
    params: Mapping[str, Any]
    names: Mapping[str, str]
    """What concepts are called in the language that is asked for."""
    use_cache: bool
    looks: bool
    """Whether the model takes pictures, and so a video's frames."""
    began: float
    """When its inputs had been read: the event loop's time."""
    room: Room
    turns: asyncio.Semaphore
    """Held while the model is asked."""
    fetching: asyncio.Semaphore
    """Held while something is fetched."""
    cutting: asyncio.Semaphore
    """Held while there is a video to cut."""
    admission: Admission


class Outputs:
    """Answers PostModelOutputs for the models of a `catalogue`."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._interpreters: dict[str, Interpreter] = {}
        self._gates: dict[str, Gate] = {}
        self._cutter = Cutter(engine)

    async def post(self, request: Data, receive: Receive, trace: Trace) -> Reply:
        """The response to a `request`.

        Raises Problem for what no output can tell, RequestProblem (429) if the model has too many inputs already, and
        ClientGone, once each input that was under way is counted.
        """
        served = self._catalogue.find(request)
        host, wire = served.host, served.wire
        trace.model = host.name
        settings = self._engine.settings
        chosen = options(request, wire, settings)
        use_cache = request.get("use_predict_cache", True)
        if not isinstance(use_cache, bool | None):
            raise Problem(Code.CONN_BAD_REQUEST_FORMAT, "use_predict_cache: must be true or false")
        items = _inputs(request)
        params = chosen.asked(wire, len(host.labels), settings.max_top_k)
        names = _names(served, chosen)
        model = self._catalogue.described(served, request)
        traces = [trace] if len(items) == 1 else [_beside(trace) for _ in items]
        gate = self._gates.setdefault(host.name, Gate(settings.max_queue))
        with gate.admitted(len(items)) as admission, Patience(receive, None) as patience:
            asked = _Asked(
                served=served,
                interpreter=self._interpreter(served),
                options=chosen,
                params=params,
                names=names,
                use_cache=use_cache is not False,
                looks=wire.takes("data", "image") and not wire.takes("data", "video"),
                began=asyncio.get_running_loop().time(),
                room=Room(self._engine.budget),
                turns=gate.turns,
                fetching=asyncio.Semaphore(FETCHES),
                cutting=asyncio.Semaphore(1),
                admission=admission,
            )
            outputs = (self._output(asked, model, item, own) for item, own in zip(items, traces, strict=True))
            answered = await patience.wait(asyncio.gather(*outputs))
        _judge(asked, answered)
        return _reply(answered, trace.request_id)

    def _interpreter(self, served: Served) -> Interpreter:
        host = served.host
        if host.name not in self._interpreters:
            self._interpreters[host.name] = Interpreter(host.binding, served.wire, self._engine.settings.limits)
        return self._interpreters[host.name]

    async def _output(self, asked: _Asked, model: Data, item: Data, trace: Trace) -> _Answered:
        output: Data = {"id": new_id(), "status": {}, "created_at": _now(), "model": model, "input": _input(item)}
        answered = _Answered(output)
        try:
            output["data"] = await self._data(asked, item, output["id"], trace)
            output["status"] = status(Code.SUCCESS)
        except Problem as found:
            answered.fail(found)
        except RequestProblem as found:
            answered.fail(of_request_problem(found))
        except asyncio.CancelledError:
            self._engine.metrics.request(trace, CLIENT_LEFT)
            raise
        except Exception:
            log.exception("request %s failed", trace.request_id)
            details = "internal error; the server's log tells more by the req_id"
            answered.fail(Problem(Code.MODEL_PREDICTION_FAILED, details))
        asked.admission.leave()
        self._engine.metrics.request(trace, http_status(output["status"]["code"]))
        return answered

    async def _data(self, asked: _Asked, item: Data, id: str, trace: Trace) -> Data:
        """The data of the output to an input. Raises Problem, and RequestProblem."""
        wire, settings, looks = asked.served.wire, self._engine.settings, asked.looks
        data = given(item, wire, settings.limits, "video" if looks else "")
        cut = "video" in data and (looks or asked.options.sample_ms is not None)
        kind = ("image" if looks else "video") if cut else ""
        remote = fetches(data)
        late = asyncio.timeout_at(asked.began + settings.deadline + (settings.fetch_timeout if remote else 0))

        async def answered(part: Part) -> Data:
            with asked.admission.away() if remote else nullcontext():
                here = await filled(data, self._engine, part, asked.fetching)
            end = asyncio.get_running_loop().time() + settings.deadline
            late.reschedule(min(end, late.when() or end))
            if kind:
                return {"frames": await self._frames(asked, here, id, kind, trace)}
            return await self._answer(asked, here, id, trace)

        try:
            # Of the videos of a call only one takes memory and is cut at a time.
            async with late, asked.cutting if kind else nullcontext():
                return await asked.room.held(answered)
        except TimeoutError:
            raise too_late(settings.deadline) from None
        except RequestProblem as problem:
            if problem.status == 500 and asked.served.host.state == "failed":
                raise Problem(Code.MODEL_DEPLOYMENT_FAILED, problem.message) from None
            raise of_request_problem(problem, next(iter(wire.requests), ()), data) from None

    async def _frames(self, asked: _Asked, data: Data, id: str, kind: str, trace: Trace) -> list[Data]:
        """The answers to the pieces of a video, each given to the model as a medium of this `kind` once it is cut."""
        every = asked.options.sample_ms or DEFAULT_SAMPLE_MS
        limits = self._engine.settings.limits
        rest = {name: value for name, value in data.items() if name != "video"}

        def cut() -> Iterator[Piece]:
            video = decode_base64(data["video"]["base64"], VIDEO)
            yield from (pictures if kind == "image" else clips)(video, every, VIDEO, limits)

        async def frame(piece: Piece) -> Data:
            medium = {kind: {"base64": b64encode(piece.data).decode("ascii")}}
            answer = await asked.room.held(
                lambda _: self._answer(asked, rest | medium, f"{id}-{piece.index}", _beside(trace))
            )
            return {"frame_info": {"index": piece.index, "time": piece.time, "number": piece.index}, "data": answer}

        return await self._cutter.answered(cut(), frame, asked.room)

    async def _answer(self, asked: _Asked, data: Data, id: str, trace: Trace) -> Data:
        """What the model says to one request in the words of its wire. Raises RequestProblem."""
        served, wire, interpreter = asked.served, asked.served.wire, asked.interpreter
        request: Data = {"data": data, "params": asked.params} if asked.params else {"data": data}
        facts: Data = {"{id}": id, "{model}": served.host.name, "{time}": int(time.time())}
        call = await self._near(data, lambda: interpreter.payload(request))
        if wire.measured:
            width, height = await self._near(data, lambda: self._size(data))
            facts |= {"{width}": width, "{height}": height}
        trace.mark("read")
        said: Data = wire.answered(json.loads(await self._asked(asked, call, trace)), facts)
        return said

    async def _asked(self, asked: _Asked, call: Call, trace: Trace) -> bytes:
        """What the model says once it is this `call`'s turn, and again where others have filled its queue."""
        while True:
            async with asked.turns:
                try:
                    with asked.room.part() as part:
                        # Whether the client is still there is seen once for all inputs.
                        return await self._engine.answer(
                            asked.served.host, call, _never, part, trace, use_cache=asked.use_cache
                        )
                except NoRoom:
                    raise
                except RequestProblem as problem:
                    if problem.status != HTTPStatus.TOO_MANY_REQUESTS:
                        raise
            await asyncio.sleep(AGAIN_SECONDS)

    def _size(self, data: Data) -> tuple[int, int]:
        return image_size(decode_base64(data["image"]["base64"], IMAGE), IMAGE, self._engine.settings.limits)

    async def _near(self, data: Data, function: Callable[[], Any]) -> Any:
        """What `function` returns, which goes through `data`: at once if they are small, and else in a thread."""
        return function() if weight(data) <= INLINE_DATA else await self._engine.threaded(function)


def _names(served: Served, chosen: Options) -> Mapping[str, str]:
    """What concepts are called in the language that is asked for. Raises Problem if the model knows others instead."""
    host = served.host
    if not chosen.language or served.wire.takes("params", "language") or not host.languages:
        return {}
    if chosen.language not in host.languages:
        known = ", ".join(host.languages)
        message = f"language: this model's concepts have no names in it; other languages here: {known}"
        raise Problem(Code.MODEL_INVALID_ARGUMENT, message)
    return host.names(chosen.language)


def _judge(asked: _Asked, answered: Sequence[_Answered]) -> None:
    """Leave in the answers what the options want, and tell in their status what neither any nor the model has."""
    chosen, host, wire = asked.options, asked.served.host, asked.served.wire
    found = [(one, list(_told(one.output["data"]))) for one in answered if one.problem is None]
    strange: list[str] = []
    if chosen.select and not wire.takes("params", "select_concepts"):
        known = {*host.labels, *asked.names.values()}
        strange = unknown([data for _, datas in found for data in datas], chosen, known)
    listed = ", ".join(repr(name[:MAX_TOLD]) for name in strange)
    notes = f"select_concepts: this model has no concept {listed}"[:MAX_DETAILS]
    unnamed = chosen.language and not wire.takes("params", "language") and not host.languages
    for one, datas in found:
        if strange and len(strange) == len(chosen.select):
            one.fail(Problem(Code.MODEL_INVALID_ARGUMENT, notes))
            continue
        for data in datas:
            pick(data, chosen, asked.names)
        if strange:
            one.output["status"] = status(Code.MIXED_STATUS, notes)
        elif unnamed and any("concepts" in data or "regions" in data for data in datas):
            one.output["status"] = status(Code.SUCCESS, ONE_LANGUAGE)


def _told(data: Data) -> Iterator[Data]:
    """What an output's `data` tell of concepts: themselves, or those of their frames."""
    if "frames" in data:
        for frame in data["frames"]:
            yield frame["data"]
    else:
        yield data


def _inputs(request: Data) -> list[Data]:
    items = request.get("inputs")
    if not items:
        raise Problem(Code.PREDICT_INVALID_REQUEST, f"inputs: 1 to {MAX_INPUTS} are required")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Problem(Code.CONN_BAD_REQUEST_FORMAT, "inputs: must be a list of objects")
    if len(items) > MAX_INPUTS:
        message = f"inputs: there are {len(items)}; one call takes {MAX_INPUTS} at most"
        raise Problem(Code.PREDICT_INVALID_REQUEST, message)
    return items


def _input(item: Data) -> Data:
    own = item.get("id")
    data = item.get("data")
    return {
        "id": own if isinstance(own, str) and 0 < len(own) <= MAX_ID else new_id(),
        "data": echoed(data) if isinstance(data, dict) else {},
    }


def _reply(answered: Sequence[_Answered], req_id: str) -> Reply:
    outputs = [one.output for one in answered]
    codes = {output["status"]["code"] for output in outputs}
    problems = [one.problem for one in answered if one.problem is not None]
    whole = Problem(Code.MIXED_STATUS)
    if len(problems) == len(outputs):
        blameless = len(codes) == 1 and problems[0].code in OF_THE_CALL
        # Some of them may be a matter of time.
        later = max((problem.headers.get(RETRY_AFTER, "0") for problem in problems), key=int)
        headers = {RETRY_AFTER: later} if later != "0" else {}
        whole = problems[0] if blameless else Problem(Code.FAILURE, headers=headers)
    elif codes == {Code.SUCCESS}:
        whole = Problem(Code.SUCCESS)
    told = status(whole.code, whole.details, req_id)
    return Reply(whole.code, {"status": told, "outputs": outputs}, whole.headers)


def _beside(trace: Trace) -> Trace:
    """What is to be told of one of several inputs, or of one of several pieces of it."""
    beside = Trace(trace.request_id)
    beside.owner, beside.model = trace.owner, trace.model
    return beside


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def _never() -> Message:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nothing ends that")
