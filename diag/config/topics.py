"""Wanted topics from TOML: the bundled list, or a deployment's own in the same form."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from diag.errors import SettingsError
from diag.model.topics import Path as TopicPath
from diag.model.topics import Reader, WantedTopic

_KEYS = frozenset({"name", "path", "partitions", "replication", "settings", "producers", "readers"})


def load_wanted_topics(file: str = "") -> tuple[WantedTopic, ...]:
    """The topics of `file`, or of the reference system; raises `SettingsError`."""
    text, origin = _read(file)
    try:
        rows = tomllib.loads(text).get("topic", [])
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{origin}: {error}", hint="it must be TOML with [[topic]] tables") from error
    if not rows or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f"{origin}: no [[topic]] table", hint="see the README's section on topics")
    return parse_topics(rows, origin)


def parse_topics(rows: Iterable[Mapping[str, Any]], origin: str) -> tuple[WantedTopic, ...]:
    """The topics of ``[[topic]]`` tables, or of the same in JSON; raises `SettingsError` with the place."""
    return tuple(_to_topic(row, f"{origin}: topic {number}") for number, row in enumerate(rows, 1))


def _read(file: str) -> tuple[str, str]:
    if not file:
        return resources.files("diag.topics").joinpath("wanted.toml").read_text("utf-8"), "the bundled list"
    try:
        return Path(file).read_text("utf-8"), file
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}", hint="check topics.file") from error
    except ValueError as error:  # not UTF-8, or no file name at all
        raise SettingsError(f"{file!r}: {error}", hint="check topics.file") from error


def _to_topic(row: Mapping[str, Any], place: str) -> WantedTopic:
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise SettingsError(
            f"{place}: unknown key {unknown[0]}", hint=f"known are {', '.join(sorted(_KEYS))}"
        )
    try:
        return WantedTopic(
            name=_text(row["name"]),
            path=TopicPath(row.get("path", "audio")),
            partitions=_count(row.get("partitions", 1)),
            replication=_count(row["replication"]) if "replication" in row else None,
            settings={_text(key): str(value) for key, value in row.get("settings", {}).items()},
            producers=tuple(map(_text, row.get("producers", ()))),
            readers=tuple(
                Reader(_text(one["group"]), _text(one["service"])) for one in row.get("readers", ())
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{place}: missing or malformed {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"text {value!r}")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"number {value!r}")
    return value
