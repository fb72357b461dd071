"""The level of a line: what the program said, before what the platform made of its stream.

GKE gives every line of stderr the severity ERROR and every line of stdout INFO unless the payload
says ``severity``; logrus writes ``level`` to stderr, so the entry's severity is the last resort.
pino and bunyan write numbers, from 10 for trace to 60 for fatal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diag.model.remembered import Remembered

LEVEL_KEYS = ("level", "severity", "lvl", "levelname")

_NAMES = {
    "trace": "debug",
    "notice": "info",
    "warn": "warning",
    "err": "error",
    "fatal": "fatal",
    "panic": "fatal",
    "critical": "fatal",
    "alert": "fatal",
    "emergency": "fatal",
    "default": "",
    "10": "debug",
    "20": "debug",
    "30": "info",
    "40": "warning",
    "50": "error",
    "60": "fatal",
}


def to_level(text: object) -> str:
    """One of debug, info, warning, error, fatal, or empty where nothing says."""
    return _LEVELS[text if isinstance(text, str) else str(text)]


def _read_level(text: str) -> str:
    name = text.strip().lower()
    return _NAMES.get(name, name if name in ("debug", "info", "warning", "error") else "")


_LEVELS = Remembered(_read_level, most=256)


def take_level(fields: dict[str, Any], keys: Iterable[str]) -> str:
    """The level that a payload states under its `keys`, empty if none; `fields` are left without it."""
    level = ""
    for key in keys:
        said = fields.pop(key)
        level = level or to_level(said)
    return level
