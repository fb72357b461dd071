"""A service's own JSON line: logrus, structlog, or in the shape that GKE understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from diag.model.remembered import Remembered
from diag.normalise.draft import BARE, Draft
from diag.normalise.levels import LEVEL_KEYS, take_level
from diag.normalise.timestamps import TIME_KEYS, take_time

MESSAGE_KEYS = ("msg", "message", "MESSAGE", "log", "event")
"""Best first: who writes ``msg`` may have a field ``message``, and ``event`` is structlog's."""

_NAME_KEYS = ("service", "name")
"""``name`` is what pino and bunyan call the logger."""

_TRACE_KEY = "logging.googleapis.com/trace"


def read_json_line(payload: Mapping[str, Any], outer: Draft = BARE) -> Draft:
    """The parts of one JSON line, inside of what is known of it."""
    fields, telling = dict(payload), _TELLING[tuple(payload)]
    return outer.holding(
        _take_message(fields, telling.message),
        time_ns=take_time(fields, telling.time) if telling.time else None,
        level=take_level(fields, telling.level) if telling.level else "",
        name_hints=_names_in(payload, telling.name) if telling.name else (),
        trace=str(payload.get(_TRACE_KEY) or ""),
        payload=fields,
    )


class _Telling(NamedTuple):
    """The keys of a line that tell of the line itself, best first."""

    message: tuple[str, ...]
    time: tuple[str, ...]
    level: tuple[str, ...]
    name: tuple[str, ...]


def _find_telling(keys: tuple[str, ...]) -> _Telling:
    own = (MESSAGE_KEYS, TIME_KEYS, LEVEL_KEYS, _NAME_KEYS)
    return _Telling(*(tuple(key for key in known if key in keys) for known in own))


_TELLING = Remembered(_find_telling)
"""The keys of a line -> those that tell: a service's lines have few sets of keys."""


def _take_message(fields: dict[str, Any], keys: Iterable[str]) -> str:
    for key in keys:
        if isinstance(fields[key], str):
            message: str = fields.pop(key)
            return message.strip()
    return ""


def _names_in(payload: Mapping[str, Any], keys: Iterable[str]) -> tuple[str, ...]:
    return tuple([name for key in keys if (name := payload[key]) and isinstance(name, str)])
