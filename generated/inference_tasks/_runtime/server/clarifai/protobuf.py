"""The messages of Clarifai's protocol as protocol buffers, and as the objects that a `Service` takes and answers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...clarifai.codes import Code
from ..problems import RequestProblem
from .problems import Problem

SERVICE = "clarifai.api.V2"
VARINT, FIXED64, COUNTED, FIXED32 = 0, 1, 2, 5
"""How long a field is, by the last bits of its tag: as its bytes say, 8 bytes, as many as a number before it, or 4."""
MAX_VARINT = 10
"""The most bytes that a number of 64 bits has; who reads on computes with ever larger ones."""


class Method:
    """One method of the service, by its name. Raises ImportError without the extra ``clarifai``."""

    def __init__(self, rpc: str) -> None:
        # By name: type checkers need not have what only this extra brings.
        service = import_module("clarifai_grpc.grpc.api.service_pb2").DESCRIPTOR.services_by_name["V2"]
        message_class = import_module("google.protobuf.message_factory").GetMessageClass
        self._json = import_module("google.protobuf.json_format")
        self._broken = import_module("google.protobuf.message").DecodeError
        method = service.methods_by_name[rpc]
        self._request, self._response = message_class(method.input_type), message_class(method.output_type)

    def request(self, data: bytes, most: int) -> dict[str, Any]:
        """The request whose bytes are `data`. Raises Problem, and RequestProblem if it has more than `most` values."""
        # Counted before there are objects: a message of empty ones takes a hundred times the memory of its bytes. Each
        # value has a byte at least.
        if len(data) > most and _values(data, self._request.DESCRIPTOR, most) > most:
            raise RequestProblem(f"the message holds more than {most} values, the most this server takes")
        try:
            message = self._request.FromString(data)
            said = self._json.MessageToDict(message, preserving_proto_field_name=True, use_integers_for_enums=True)
        except (self._broken, self._json.Error) as error:
            raise Problem(Code.CONN_BAD_REQUEST_FORMAT, f"the message is not valid: {error}"[:500]) from None
        return dict(said)

    def response(self, message: dict[str, Any]) -> bytes:
        """The bytes of the response that is `message`."""
        return bytes(self._json.ParseDict(message, self._response()).SerializeToString())


def _values(data: bytes, message: Any, most: int) -> int:
    """How many values the bytes of a message hold, if they are no more than `most`, or else some number above it.

    `message` is its descriptor. Bytes that are no message have as many values as were found in them.
    """
    found = position = 0
    inside = [(len(data), message)]
    try:
        while inside and found <= most:
            end, message = inside[-1]
            if position >= end:
                inside.pop()
                continue
            found += 1
            tag, position = _varint(data, position)
            kind = tag & 7
            if kind == VARINT:
                _, position = _varint(data, position)
            elif kind in (FIXED64, FIXED32):
                position += 8 if kind == FIXED64 else 4
            elif kind == COUNTED:
                length, position = _varint(data, position)
                field = message.fields_by_number.get(tag >> 3)
                if field is not None and field.message_type is not None:
                    inside.append((position + length, field.message_type))
                    continue
                if field is not None and field.cpp_type != field.CPPTYPE_STRING:
                    found += length // (4 if field.cpp_type == field.CPPTYPE_FLOAT else 1)  # a list of numbers
                position += length
    except IndexError:
        pass  # whoever reads it will say so
    return found


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and where it ends. Raises IndexError if none ends within `MAX_VARINT` bytes."""
    number = 0
    for place in range(MAX_VARINT):
        byte = data[position + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, position + place + 1
    raise IndexError(f"the number at {position} does not end")
