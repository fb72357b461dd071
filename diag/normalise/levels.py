"""The level of a line: what the program said, before what the platform made of its stream.

GKE gives every line of stderr the severity ERROR and every line of stdout INFO unless the payload
says ``severity``; logrus writes ``level`` to stderr, so the entry's severity is the last resort.
pino and bunyan write numbers, from 10 for trace to 60 for fatal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from diag.model.remembered import Remembered

LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "log_level", "loglevel", "@l", "Level")

STREAM_LEVELS = {"stdout": "info", "stderr": "error"}
"""What GKE makes of a line that says nothing of itself."""

SYSLOG_LEVELS = {
    "0": "fatal",
    "1": "fatal",
    "2": "fatal",
    "3": "error",
    "4": "warning",
    "5": "info",
    "6": "info",
    "7": "debug",
}
"""Severities of syslog and journald."""

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
    "emerg": "fatal",
    "crit": "fatal",
    "dpanic": "fatal",
    "ftl": "fatal",
    "severe": "error",
    "information": "info",
    "success": "info",
    "verbose": "debug",
    "fine": "debug",
    "w": "warning",
    "e": "error",
    "f": "fatal",
    "i": "info",
    "d": "debug",
    "wrn": "warning",
    "inf": "info",
    "dbg": "debug",
    "trc": "debug",
    "default": "",
    "10": "debug",
    "20": "debug",
    "30": "info",
    "40": "warning",
    "50": "error",
    "60": "fatal",
}


_OFFSET = re.compile(r"(?<=[a-z])[+-]\d{1,2}$")
"""slog writes a level between two of its own as ``ERROR+2``."""


def to_level(text: object) -> str:
    """One of debug, info, warning, error, fatal, or empty where nothing says."""
    return _LEVELS[text if isinstance(text, str) else str(text)]


def _read_level(text: str) -> str:
    name = _OFFSET.sub("", text.strip().lower())
    return _NAMES.get(name, name if name in ("debug", "info", "warning", "error") else "")


_LEVELS = Remembered(_read_level, most=256)


def take_level(fields: dict[str, Any], keys: Iterable[str]) -> str:
    """The level that a payload states under its `keys`, empty if none; `fields` are left without it."""
    level = ""
    for key in keys:
        said = fields.pop(key)
        level = level or to_level(said)
    return level
