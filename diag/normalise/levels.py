"""The level of a line: what the program said, before what the platform made of its stream.

GKE gives every line of stderr the severity ERROR and every line of stdout INFO unless the payload
says ``severity``; logrus writes ``level`` to stderr, so the entry's severity is the last resort.
pino and bunyan write numbers, from 10 for trace to 60 for fatal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    name = str(text).strip().lower()
    return _NAMES.get(name, name if name in ("debug", "info", "warning", "error") else "")


def level_of(payload: Mapping[str, Any]) -> str:
    """The level that a payload states, empty if none."""
    return next((level for key in LEVEL_KEYS if (level := to_level(payload.get(key, "")))), "")
