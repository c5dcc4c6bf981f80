"""The models of a server as the protocol describes them: found, listed, and with what can be known of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from starlette.types import Receive

from ...clarifai.codes import DESCRIPTIONS, Code
from ...dialect import Dialect, Wire
from ..host import Host, State
from ..problems import RequestProblem
from .examples import examples
from .inputs import member
from .kinds import Kind, kind_of
from .listing import matches, name_of, page, text, texts
from .options import DEFAULT_CONCEPTS
from .problems import Problem, status

USER: Final = "local"
APP: Final = "main"
"""Whose models these are, unless a request says whose it asks for."""
ME: Final = "me"
"""What clients call the user whose key they have."""

PUBLIC: Final = {"gettable": 50}
MAX_MESSAGE: Final = 2000

_STATUS: Final[Mapping[State, Code]] = {
    "idle": Code.MODEL_TRAINED,
    "ready": Code.MODEL_TRAINED,
    "loading": Code.MODEL_LOADING,
    "failed": Code.MODEL_DEPLOYMENT_FAILED,
}

Message = dict[str, Any]
Rpc = Callable[[Message, Receive], Awaitable[Message]]


@dataclass(frozen=True)
class Served:
    """One model, as it was asked for: what it is called there, and its only version."""

    host: Host
    wire: Wire
    model_id: str
    version_id: str

    @cached_property
    def kind(self) -> Kind:
        """What it takes and answers."""
        return kind_of(self.wire)


class Catalogue:
    """Those of `hosts` whose tasks the `dialect` speaks; `package` is the generated one, which has examples of inputs.

    The id of a model is its name, with ``--`` in place of each slash. A model whose name has three parts is also known
    by the last one, to whoever asks for the user and the app that the others name; and a task's first model by the id
    of the task. Of two that would go by one id, it is the first one's. Whoever is asked for otherwise, it is theirs.
    """

    def __init__(self, hosts: Sequence[Host], dialect: Dialect, package: str) -> None:
        self._package = package
        self._since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._models: dict[str, Served] = {}
        self._named: dict[str, Served] = {}
        self._owned: dict[tuple[str, ...], Served] = {}
        for host in hosts:
            if dialect.speaks(host.binding.id):
                served = Served(host, dialect.wire(host.binding.id), host.name.replace("/", "--"), _version(host.name))
                self._models.setdefault(served.model_id, served)
                self._named[host.name] = served
                self._owned[tuple(host.name.split("/"))] = served
        for served in list(self._named.values()):
            self._named.setdefault(served.host.binding.id, served)
        self.rpcs: Mapping[str, Rpc] = {
            "ListModels": self._list,
            "PostModelsSearches": self._search,
            "GetModel": self._model,
            "GetModelOutputInfo": self._output_info,
            "ListModelVersions": self._versions,
            "GetModelVersion": self._version,
            "ListModelTypes": self._types,
            "GetModelType": self._type,
            "ListModelVersionInputExamples": self._examples,
            "GetModelVersionInputExample": self._example,
            "ListStatusCodes": self._codes,
            "GetStatusCode": self._code,
        }
        """Each call by its name: from a request as the protocol has it to the answer without its ``status``.

        The answer of GetStatusCode is its ``status``. They raise Problem and ClientGone.
        """

    def find(self, request: Mapping[str, Any]) -> Served:
        """The model that `request` asks for: ``model_id``, or else the deployment that it selects.

        Raises Problem: MODEL_DOES_NOT_EXIST, also for a version of it that does not, and MODEL_INVALID_REQUEST for what
        can be no id.
        """
        deployment = member(member(request, "runner_selector"), "deployment", "runner_selector.")
        asked = name_of(request, "model_id") or name_of(deployment, "id")
        if not asked:
            raise Problem(Code.MODEL_INVALID_REQUEST, "model_id: is required")
        owned = self._owned.get((*_asked_owner(request), asked))
        found = owned or self._models.get(asked) or self._named.get(asked)
        if found is None:
            message = f"no such model {asked!r}; served here: {', '.join(self._models)}"
            raise Problem(Code.MODEL_DOES_NOT_EXIST, message[:MAX_MESSAGE])
        version = name_of(request, "version_id") or name_of(request, "model_version_id")
        if version not in ("", found.version_id):
            has = f"model {found.host.name!r} has no version {version!r}, but only {found.version_id!r}"
            raise Problem(Code.MODEL_DOES_NOT_EXIST, has)
        return replace(found, model_id=asked) if owned else found

    def described(self, served: Served, request: Mapping[str, Any]) -> Message:
        """The message ``Model`` about the model; it belongs to whom `request` says."""
        return {
            "id": served.model_id,
            "name": served.host.name,
            "created_at": self._since,
            "modified_at": self._since,
            **_owner(request),
            "model_type_id": served.kind.type_id,
            "task": served.host.binding.id,
            "output_info": {
                **_defaults(served.kind),
                "message": f"Show output_info with: GET /models/{served.model_id}/output_info",
            },
            "model_version": self._version_of(served, request),
            "visibility": PUBLIC,
        }

    def _version_of(self, served: Served, request: Mapping[str, Any]) -> Message:
        return {
            "id": served.version_id,
            "created_at": self._since,
            "status": status(_STATUS[served.host.state]),
            "active_concept_count": len(served.host.labels),
            **_owner(request),
            "visibility": PUBLIC,
            "metadata": {},
        }

    async def _list(self, request: Message, receive: Receive) -> Message:
        """Filters that this server knows nothing about, as whether a model is starred, leave nothing out."""
        name = text(request, "name")
        wanted = text(request, "search") or text(request, "query")
        inputs, outputs = texts(request, "input_fields"), texts(request, "output_fields")
        found = [
            served
            for served in self._of(text(request, "model_type_id"), name)
            if served.kind.takes(inputs) and served.kind.answers(outputs) and _tells_of(served, wanted)
        ]
        return self._page(found, request)

    async def _search(self, request: Message, receive: Receive) -> Message:
        query = member(request, "model_query")
        return self._page(self._of(text(query, "model_type_id"), text(query, "name")), request)

    def _of(self, type_id: str, name: str) -> list[Served]:
        return [
            served
            for served in self._models.values()
            if type_id in ("", served.kind.type_id)
            and (not name or any(matches(name, own) for own in (served.model_id, served.host.name)))
        ]

    def _page(self, found: Sequence[Served], request: Message) -> Message:
        return {"models": [self.described(served, request) for served in page(found, request)]}

    async def _model(self, request: Message, receive: Receive) -> Message:
        return {"model": self.described(self.find(request), request)}

    async def _output_info(self, request: Message, receive: Receive) -> Message:
        """The labels of the model, which is waited for if they are not known yet."""
        served = self.find(request)
        host = served.host
        if served.kind.names_concepts and not host.labels:
            await host.loaded(receive)
            try:
                host.check()
            except RequestProblem as problem:
                raise Problem(_STATUS[host.state], problem.message, problem.headers) from None
        model = self.described(served, request)
        info = {**model["output_info"], "data": {"concepts": _concepts(host, text(request, "language"))}}
        version = {**model["model_version"], "output_info": info}
        return {"model": {**model, "output_info": info, "model_version": version}}

    async def _versions(self, request: Message, receive: Receive) -> Message:
        served = self.find(request)
        return {"model_versions": [self._version_of(served, request) for served in page([served], request)]}

    async def _version(self, request: Message, receive: Receive) -> Message:
        return {"model_version": self._version_of(self.find(request), request)}

    async def _types(self, request: Message, receive: Receive) -> Message:
        return {"model_types": page(_types(served.kind for served in self._models.values()), request)}

    async def _type(self, request: Message, receive: Receive) -> Message:
        asked = name_of(request, "model_type_id")
        for known in _types(served.kind for served in self._models.values()):
            if known["id"] == asked:
                return {"model_type": known}
        raise Problem(Code.CONN_DOES_NOT_EXIST, f"no model of type {asked!r} is served here")

    async def _examples(self, request: Message, receive: Receive) -> Message:
        return {"model_version_input_examples": page(await self._known_examples(request), request)}

    async def _example(self, request: Message, receive: Receive) -> Message:
        asked = name_of(request, "example_id")
        known = await self._known_examples(request)
        for example in known:
            if example["id"] == asked:
                return {"model_version_input_example": example}
        names = ", ".join(example["id"] for example in known) or "(none)"
        raise Problem(Code.INPUT_DOES_NOT_EXIST, f"no such example {asked!r}; there are: {names}"[:MAX_MESSAGE])

    async def _known_examples(self, request: Message) -> list[Message]:
        served = self.find(request)
        ids = {"model_id": served.model_id, "model_version_id": served.version_id}
        found = await asyncio.to_thread(lambda: list(examples(self._package, served.host.binding.id, served.wire)))
        return [{**example, **ids} for example in found]

    async def _codes(self, request: Message, receive: Receive) -> Message:
        return {"statuses": [status(code) for code in DESCRIPTIONS]}

    async def _code(self, request: Message, receive: Receive) -> Message:
        asked = name_of(request, "status_code_id")
        for code in DESCRIPTIONS:
            if asked == str(int(code)):
                return {"status": status(code)}
        raise Problem(Code.CONN_DOES_NOT_EXIST, f"no status has the code {asked!r} here")


def _version(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:32]


def _asked_owner(request: Mapping[str, Any]) -> tuple[str, str]:
    owner = member(request, "user_app_id")
    return name_of(owner, "user_id"), name_of(owner, "app_id")


def _owner(request: Mapping[str, Any]) -> dict[str, str]:
    user, app = _asked_owner(request)
    return {"app_id": app or APP, "user_id": USER if user in ("", ME) else user}


def _defaults(kind: Kind) -> Message:
    """What the options are that a model which answers with concepts has, unless a call says otherwise."""
    if not kind.names_concepts:
        return {}
    options = {"max_concepts": DEFAULT_CONCEPTS, "min_value": 0}
    return {"output_config": options, "params": {**options, "select_concepts": []}}


def _tells_of(served: Served, wanted: str) -> bool:
    """Whether every word that is `wanted` is somewhere in what the model is called and for."""
    about = " ".join((served.model_id, served.host.name, served.host.binding.id, served.kind.type_id)).casefold()
    return all(word in about for word in wanted.casefold().split())


def _concepts(host: Host, language: str) -> list[Message]:
    if language and language not in host.languages:
        known = ", ".join(host.languages) or "(none)"
        message = f"language: this model's labels have names in: {known}"
        raise Problem(Code.MODEL_INVALID_ARGUMENT, message[:MAX_MESSAGE])
    names = host.names(language) if language else {}
    return [
        {
            "id": label,
            "name": names.get(label, label),
            "value": 1,
            **({"language": language} if label in names else {}),
            "app_id": APP,
        }
        for label in host.labels
    ]


def _types(kinds: Iterable[Kind]) -> list[Message]:
    """Each type of model that is served, with what those of it take and answer."""
    types: dict[str, Message] = {}
    for kind in kinds:
        title = kind.type_id.replace("-", " ").title()
        known = types.setdefault(
            kind.type_id, {"id": kind.type_id, "title": title, "input_fields": [], "output_fields": []}
        )
        known["input_fields"] += [field for field in kind.inputs if field not in known["input_fields"]]
        known["output_fields"] += [field for field in kind.outputs if field not in known["output_fields"]]
    return [types[type_id] for type_id in sorted(types)]
