"""Clarifai's own client before a server of ours, unmodified, and its protos as the judge of every answer."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api.resources_pb2 import Data, Input
from clarifai_grpc.grpc.api.service_pb2 import MultiOutputResponse, PostModelOutputsRequest
from clarifai_grpc.grpc.api.service_pb2_grpc import V2Stub
from clarifai_grpc.grpc.api.utils import extensions_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

OWN_OPTIONS = ("max_concepts", "min_value", "select_concepts", "language", "sample_ms")
"""Those that Clarifai has a field of its own for: ``OutputConfig``."""

FLOAT_MAX = 3.4028234663852886e38
ROOM = {
    FieldDescriptor.TYPE_FLOAT: (-FLOAT_MAX, FLOAT_MAX),
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
"""The numbers that fields of a type hold, where those are not all."""

NONE = (0, "0", "")


class Judge:
    """The client, with what the server at `url` answered last: its HTTP status and its JSON.

    Every answer must be strict JSON, with no member that the protos do not know, with those that they want always
    shown, and must mean for them just what the client makes of it.
    """

    def __init__(self, url: str, key: str) -> None:
        channel = ClarifaiChannel.get_json_channel(base_url=url)
        channel.session.trust_env = False
        channel.session.hooks["response"].append(self._keep)
        self._session = channel.session
        self._stub = V2Stub(channel)
        self.url = url
        self.key = key
        self._kept: list[requests.Response] = []
        self.path = ""
        self.status = 0
        self.json: Any = None

    def call(self, rpc: str, request: Message, key: str | None = None) -> Any:
        """The response of one call."""
        self._kept.clear()
        metadata = (("authorization", f"Key {key or self.key}"),)
        response = getattr(self._stub, rpc)(request, metadata=metadata)
        (answer,) = self._kept
        self.path = answer.request.path_url
        self.status = answer.status_code
        self.json = strict_json(answer.content)
        assert list(not_shown(self.json, response.DESCRIPTOR)) == []
        assert parsed(self.json, type(response)) == response
        return response

    def outputs(self, model_id: str, *inputs: Input, **members: Any) -> MultiOutputResponse:
        """The response to PostModelOutputs; `members` are those of its request."""
        return self.call("PostModelOutputs", PostModelOutputsRequest(model_id=model_id, inputs=inputs, **members))

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def _keep(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._kept.append(response)


def strict_json(content: bytes) -> Any:
    """The value of a text that is JSON, without Python's own numbers beyond it."""

    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(content, parse_constant=refuse)


def parsed(value: Any, message: type[Message]) -> Any:
    """The message that JSON stands for. Raises ParseError, for unknown members above all."""
    return ParseDict(value, message(), ignore_unknown_fields=False)


def written(message: Message) -> dict[str, Any]:
    """A message as JSON with its own names, and with the zeros and empty texts that nobody can tell from none there."""
    value = MessageToDict(
        message,
        preserving_proto_field_name=True,
        use_integers_for_enums=True,
        always_print_fields_with_no_presence=True,
    )
    for holder, kind, _ in list(_messages(value, message.DESCRIPTOR, "")):
        for name, member in list(holder.items()):
            # A list of no messages is none, and a plain value may stand instead of data.
            nothing = ([], {}) if kind.fields_by_name[name].message_type else NONE if kind is Data.DESCRIPTOR else ()
            if member in nothing:
                del holder[name]
    return value


def not_shown(value: Any, message: Descriptor, place: str = "") -> Iterator[str]:
    """The places of members that the protos want shown even if they are zero, and that JSON has not."""
    for holder, kind, where in _messages(value, message, place):
        for field in kind.fields:
            wanted = field.GetOptions().Extensions[extensions_pb2.cl_show_if_empty]
            if wanted and not field.is_repeated and field.message_type is None and field.name not in holder:
                yield f"{where}.{field.name}"


def holdable(value: Any, message: Descriptor) -> bool:
    """Whether the protos have room for all numbers and bytes of JSON: most are of 32 bits, and in plain base64."""
    return all(
        _fits(item, kind.fields_by_name[name])
        for holder, kind, _ in _messages(value, message, "")
        for name, member in holder.items()
        if name in kind.fields_by_name
        for item in (member if isinstance(member, list) else [member])
    )


def _fits(value: Any, field: FieldDescriptor) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        least, most = ROOM.get(field.type, (value, value))
        return least <= value <= most
    if isinstance(value, str) and field.type == FieldDescriptor.TYPE_BYTES:
        try:
            return base64.b64encode(base64.b64decode(value, validate=True)) == value.encode()
        except ValueError:
            return False
    return True


def _messages(value: Any, message: Descriptor, place: str) -> Iterator[tuple[dict[str, Any], Descriptor, str]]:
    """All objects that are messages of Clarifai's, what messages they are, and where."""
    if isinstance(value, dict) and message.full_name.startswith("clarifai."):
        yield value, message, place
        for name, member in value.items():
            field = message.fields_by_name.get(name)
            if field is not None and field.message_type is not None:
                for index, item in enumerate(member if isinstance(member, list) else [member]):
                    inner = f"{place}.{name}[{index}]" if isinstance(member, list) else f"{place}.{name}"
                    yield from _messages(item, field.message_type, inner)


def data(said: Mapping[str, Any]) -> Data:
    """The data of an input, as a wire says them; a medium that is a URL stands where those do."""
    return parsed({name: _by_url(medium) for name, medium in said.items()}, Data)


def _by_url(medium: Any) -> Any:
    inline = medium.get("base64", "") if isinstance(medium, dict) else ""
    return {"url": inline} if inline.startswith(("http:", "https:")) else medium


def options(params: Mapping[str, Any], *, in_version: bool = True, own_fields: bool = True) -> dict[str, Any]:
    """The Model with the options of a call as JSON, at one of the two places that are published for them.

    Those that Clarifai has fields for are said in these, or else with the free ones.
    """
    config = {name: params[name] for name in OWN_OPTIONS if own_fields and name in params}
    free = {name: value for name, value in params.items() if name not in config}
    info = {"output_info": {"output_config": config, "params": free}}
    return {"model_version": info} if in_version else info


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same for who cannot tell none, null, zero and empty apart, in floats of 32 bits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(alike(one.get(name), other.get(name)) for name in one.keys() | other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-37)
    return one == other or (nothing(one) and nothing(other))


def nothing(value: Any) -> bool:
    if isinstance(value, float) and math.isclose(value, 0, abs_tol=1e-37):
        return True
    return all(map(nothing, value.values())) if isinstance(value, dict) else not value
