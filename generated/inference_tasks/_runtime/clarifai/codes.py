"""The status codes of Clarifai's API: those that a server here gives, and those that a client tells apart.

Numbers and names are those of the enum StatusCode of its protocol buffers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Code(IntEnum):
    """What became of a call, or of one of its outputs."""

    SUCCESS = 10000
    MIXED_STATUS = 10010
    FAILURE = 10020
    NOT_IMPLEMENTED = 10040
    MOVED = 10050
    ACCEPTED = 10070

    CONN_TOKEN_INVALID = 11001
    CONN_CREDENTIALS_INVALID = 11002
    CONN_THROTTLED = 11005
    CONN_EXCEEDS_LIMITS = 11006
    CONN_INSUFFICIENT_SCOPES = 11007
    CONN_KEY_INVALID = 11008
    CONN_KEY_NOT_FOUND = 11009
    CONN_BAD_REQUEST_FORMAT = 11100
    CONN_DOES_NOT_EXIST = 11101
    CONN_INVALID_REQUEST = 11102
    CONN_METHOD_NOT_ALLOWED = 11103

    MODEL_TRAINED = 21100
    MODEL_DOES_NOT_EXIST = 21200
    MODEL_PERMISSION_DENIED = 21201
    MODEL_INVALID_ARGUMENT = 21202
    MODEL_INVALID_REQUEST = 21203
    MODEL_PREDICTION_FAILED = 21313
    MODEL_DEPLOYMENT_FAILED = 21350
    MODEL_DEPLOYING = 21351
    MODEL_BUSY_PLEASE_RETRY = 21354
    MODEL_LOADING = 21355

    INPUT_DOWNLOAD_FAILED = 30002
    INPUT_UNSUPPORTED_FORMAT = 30101
    INPUT_DOES_NOT_EXIST = 30102
    INPUT_INVALID_ARGUMENT = 30104
    INPUT_OVER_LIMIT = 30105
    INPUT_INVALID_URL = 30106
    ALL_INPUT_INVALID_BYTES = 30300
    INPUT_VIDEO_DOWNLOAD_FAILED = 31002
    INPUT_VIDEO_UNSUPPORTED_FORMAT = 31101
    INPUT_VIDEO_INVALID_ARGUMENT = 31104
    INPUT_VIDEO_OVER_LIMIT = 31105
    INPUT_VIDEO_INVALID_URL = 31106
    ALL_INPUT_VIDEOS_INVALID_BYTES = 31300

    PREDICT_INVALID_REQUEST = 40001
    RPC_REQUEST_QUEUE_FULL = 40030
    RPC_SERVER_UNAVAILABLE = 40031
    RPC_REQUEST_TIMEOUT = 40032
    RPC_MAX_MESSAGE_SIZE_EXCEEDED = 40033
    EXTERNAL_CONNECTION_ERROR = 40034

    INTERNAL_SERVER_ISSUE = 98004


DESCRIPTIONS: Final[Mapping[Code, str]] = {
    Code.SUCCESS: "Ok",
    Code.MIXED_STATUS: "Mixed Success",
    Code.FAILURE: "Failure",
    Code.NOT_IMPLEMENTED: "Not served here",
    Code.MOVED: "Served at another address",
    Code.ACCEPTED: "Accepted, not done yet",
    Code.CONN_TOKEN_INVALID: "The token is not valid",
    Code.CONN_CREDENTIALS_INVALID: "The credentials are not valid",
    Code.CONN_THROTTLED: "Too many requests; wait and try again",
    Code.CONN_EXCEEDS_LIMITS: "The limits of the account are exceeded",
    Code.CONN_INSUFFICIENT_SCOPES: "The key does not allow this",
    Code.CONN_KEY_INVALID: "The key is not valid",
    Code.CONN_KEY_NOT_FOUND: "The request has no key that is known",
    Code.CONN_BAD_REQUEST_FORMAT: "The request cannot be read",
    Code.CONN_DOES_NOT_EXIST: "Nothing is at this address",
    Code.CONN_INVALID_REQUEST: "The request is not valid",
    Code.CONN_METHOD_NOT_ALLOWED: "This method is not allowed here",
    Code.MODEL_TRAINED: "Model is trained and ready",
    Code.MODEL_DOES_NOT_EXIST: "Model does not exist",
    Code.MODEL_PERMISSION_DENIED: "Model may not be used",
    Code.MODEL_INVALID_ARGUMENT: "Invalid model argument",
    Code.MODEL_INVALID_REQUEST: "Invalid model request",
    Code.MODEL_PREDICTION_FAILED: "Model could not predict",
    Code.MODEL_DEPLOYMENT_FAILED: "Model could not be loaded",
    Code.MODEL_DEPLOYING: "Model is being deployed",
    Code.MODEL_BUSY_PLEASE_RETRY: "Model is busy; try again",
    Code.MODEL_LOADING: "Model is loading",
    Code.INPUT_DOWNLOAD_FAILED: "Input could not be fetched",
    Code.INPUT_UNSUPPORTED_FORMAT: "Input has a format that is not supported",
    Code.INPUT_DOES_NOT_EXIST: "Input does not exist",
    Code.INPUT_INVALID_ARGUMENT: "Invalid input argument",
    Code.INPUT_OVER_LIMIT: "Input is over a limit",
    Code.INPUT_INVALID_URL: "Input has a URL that is not valid",
    Code.ALL_INPUT_INVALID_BYTES: "Input has bytes that cannot be decoded",
    Code.INPUT_VIDEO_DOWNLOAD_FAILED: "Video could not be fetched",
    Code.INPUT_VIDEO_UNSUPPORTED_FORMAT: "Video has a format that is not supported",
    Code.INPUT_VIDEO_INVALID_ARGUMENT: "Invalid video argument",
    Code.INPUT_VIDEO_OVER_LIMIT: "Video is over a limit",
    Code.INPUT_VIDEO_INVALID_URL: "Video has a URL that is not valid",
    Code.ALL_INPUT_VIDEOS_INVALID_BYTES: "Video has bytes that cannot be decoded",
    Code.PREDICT_INVALID_REQUEST: "Invalid prediction request",
    Code.RPC_REQUEST_QUEUE_FULL: "Too many requests are waiting; try again",
    Code.RPC_SERVER_UNAVAILABLE: "The server is not available; try again",
    Code.RPC_REQUEST_TIMEOUT: "The request took too long",
    Code.RPC_MAX_MESSAGE_SIZE_EXCEEDED: "The request is too large",
    Code.EXTERNAL_CONNECTION_ERROR: "Another service could not be reached",
    Code.INTERNAL_SERVER_ISSUE: "The server failed",
}
"""A few words on each, the same for whoever asks; `details` beside them say what it was this time."""

LATER: Final = frozenset({Code.MODEL_DEPLOYING, Code.MODEL_BUSY_PLEASE_RETRY, Code.MODEL_LOADING})
"""The model will be there: what Clarifai's own client waits and asks again for, for up to ten minutes."""

_HTTP: Final[Mapping[int, int]] = {
    Code.SUCCESS: 200,
    Code.MIXED_STATUS: 200,
    Code.NOT_IMPLEMENTED: 501,
    Code.MOVED: 307,
    Code.ACCEPTED: 202,
    Code.CONN_TOKEN_INVALID: 401,
    Code.CONN_CREDENTIALS_INVALID: 401,
    Code.CONN_THROTTLED: 429,
    Code.CONN_EXCEEDS_LIMITS: 429,
    Code.CONN_INSUFFICIENT_SCOPES: 401,
    Code.CONN_KEY_INVALID: 401,
    Code.CONN_KEY_NOT_FOUND: 401,
    Code.CONN_DOES_NOT_EXIST: 404,
    Code.CONN_METHOD_NOT_ALLOWED: 405,
    Code.MODEL_TRAINED: 200,
    Code.MODEL_DOES_NOT_EXIST: 404,
    Code.MODEL_PERMISSION_DENIED: 403,
    Code.MODEL_PREDICTION_FAILED: 500,
    Code.MODEL_DEPLOYMENT_FAILED: 500,
    **dict.fromkeys(LATER, 503),
    Code.INPUT_DOES_NOT_EXIST: 404,
    Code.RPC_REQUEST_QUEUE_FULL: 503,
    Code.RPC_SERVER_UNAVAILABLE: 503,
    Code.RPC_REQUEST_TIMEOUT: 504,
    Code.RPC_MAX_MESSAGE_SIZE_EXCEEDED: 413,
    Code.EXTERNAL_CONNECTION_ERROR: 502,
    Code.INTERNAL_SERVER_ISSUE: 500,
}


def http_status(code: int) -> int:
    """The HTTP status of an answer whose own status is `code`: 400 unless it says otherwise.

    The protocol itself lays down that of MOVED and ACCEPTED only, and its clients go by `code`: the others are ours.
    """
    return _HTTP.get(code, 400)
