"""A service's own JSON line: logrus, structlog, or in the shape that GKE understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diag.normalise.draft import BARE, Draft
from diag.normalise.levels import take_level
from diag.normalise.timestamps import take_time

MESSAGE_KEYS = ("msg", "message", "MESSAGE", "log", "event")
"""Best first: who writes ``msg`` may have a field ``message``, and ``event`` is structlog's."""

_NAME_KEYS = ("service", "name")
"""``name`` is what pino and bunyan call the logger."""

_TRACE_KEY = "logging.googleapis.com/trace"


def read_json_line(payload: Mapping[str, Any], outer: Draft = BARE) -> Draft:
    """The parts of one JSON line, inside of what is known of it."""
    fields = dict(payload)
    return outer.holding(
        _take_message(fields),
        time_ns=take_time(fields),
        level=take_level(fields),
        name_hints=_names_in(payload),
        trace=str(payload.get(_TRACE_KEY) or ""),
        payload=fields,
    )


def _take_message(fields: dict[str, Any]) -> str:
    for key in MESSAGE_KEYS:
        if isinstance(fields.get(key), str):
            message: str = fields.pop(key)
            return message.strip()
    return ""


def _names_in(payload: Mapping[str, Any]) -> tuple[str, ...]:
    names = [payload.get(key) for key in _NAME_KEYS]
    return tuple(name for name in names if name and isinstance(name, str))
