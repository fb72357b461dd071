"""The logs as such: a page of their names, and which one is to be deleted.

Facts: the references of ``logs.list`` and ``logs.delete`` of the Cloud Logging documentation.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from google.cloud.logging_v2.types import ListLogsResponse

from pipeline.local.cloud_logging.errors import invalid
from pipeline.local.cloud_logging.reading import read_page_size
from pipeline.local.cloud_logging.writing import LOG_NAME


def encode_names(request: Any, names: Iterable[str]) -> bytes:
    """The page of a ``ListLogsRequest`` out of all `names`, in their order; raises `RequestError`.

    A token is the last name that was given, so that logs which come and go meanwhile shift nothing.
    """
    size, after = read_page_size(request), _read_token(request.page_token)
    left = sorted(name for name in names if name > after)
    token = urlsafe_b64encode(left[size - 1].encode()).decode() if len(left) > size else ""
    return bytes(ListLogsResponse.pb()(log_names=left[:size], next_page_token=token).SerializeToString())


def _read_token(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError as error:
        raise invalid("page_token is malformed") from error


def read_log(request: Any) -> tuple[str, str]:
    """The log of a ``DeleteLogRequest``, and its project; raises `RequestError`."""
    name = LOG_NAME.fullmatch(request.log_name)
    if name is None:
        raise invalid(f"Invalid log name: {request.log_name!r}")
    return name[0], name["project"]
