"""A service's own JSON line: logrus, structlog, or in the shape that GKE understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from diag.model.remembered import Remembered
from diag.normalise.draft import BARE, Draft
from diag.normalise.levels import LEVEL_KEYS, take_level
from diag.normalise.timestamps import TIME_KEYS, take_time

MESSAGE_KEYS = (
    "msg", "message", "MESSAGE", "log", "event", "@m", "RenderedMessage", "@mt", "MessageTemplate",
)  # fmt: skip
"""Best first: who writes ``msg`` may have a field ``message``.

``event`` is structlog's, what follows is Serilog's.
"""

_NESTED = "fields"
"""Under which Rust's tracing writes the message and what belongs to it."""

_NAME_KEYS = ("service", "name")
"""``name`` is what pino and bunyan call the logger."""

_TRACE_KEY = "logging.googleapis.com/trace"


def read_json_line(payload: Mapping[str, Any], outer: Draft = BARE) -> Draft:
    """The parts of one JSON line, inside of what is known of it."""
    telling = _TELLING[tuple(payload)]
    if telling.is_nested and _says(payload[_NESTED]):
        beside = {key: value for key, value in payload.items() if key != _NESTED}
        return read_json_line({**payload[_NESTED], **beside}, outer)
    fields = dict(payload)
    return outer.holding(
        _take_message(fields, telling.message),
        time_ns=take_time(fields, telling.time) if telling.time else None,
        level=take_level(fields, telling.level) if telling.level else "",
        name_hints=_names_in(payload, telling.name) if telling.name else (),
        trace=str(payload.get(_TRACE_KEY) or ""),
        payload=fields,
    )


def _says(nested: Any) -> bool:
    return isinstance(nested, dict) and isinstance(nested.get("message"), str)


class _Telling(NamedTuple):
    """The keys of a line that tell of the line itself, best first; `is_nested`: they may stand one deeper."""

    message: tuple[str, ...]
    time: tuple[str, ...]
    level: tuple[str, ...]
    name: tuple[str, ...]
    is_nested: bool


def _find_telling(keys: tuple[str, ...]) -> _Telling:
    own = (MESSAGE_KEYS, TIME_KEYS, LEVEL_KEYS, _NAME_KEYS)
    message, time, level, name = (tuple(key for key in known if key in keys) for known in own)
    return _Telling(message, time, level, name, is_nested=_NESTED in keys and not message)


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
