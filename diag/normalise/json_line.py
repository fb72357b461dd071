"""A service's own JSON line: logrus, structlog, or in the shape that GKE understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diag.normalise.draft import Draft
from diag.normalise.levels import LEVEL_KEYS, level_of
from diag.normalise.timestamps import TIME_KEYS, time_of, to_instant

MESSAGE_KEYS = ("msg", "message", "MESSAGE", "log", "event")
"""Best first: who writes ``msg`` may have a field ``message``, and ``event`` is structlog's."""

_NAME_KEYS = ("service", "name")
"""``name`` is what pino and bunyan call the logger."""

_TRACE_KEY = "logging.googleapis.com/trace"


def read_json_line(payload: Mapping[str, Any]) -> Draft:
    """The parts of one JSON line."""
    message_key = next((key for key in MESSAGE_KEYS if isinstance(payload.get(key), str)), None)
    used = {message_key, *LEVEL_KEYS}
    # A "timestamp" that is no time (HH:MM:SS) is a field like any other.
    used.update(key for key in TIME_KEYS if key in payload and to_instant(payload[key]) is not None)
    names = (payload.get(key) for key in _NAME_KEYS)
    return Draft(
        time_ns=time_of(payload),
        level=level_of(payload),
        message=payload[message_key].strip() if message_key else "",
        name_hints=tuple(name for name in names if name and isinstance(name, str)),
        trace=str(payload.get(_TRACE_KEY) or ""),
        payload={key: value for key, value in payload.items() if key not in used},
    )
