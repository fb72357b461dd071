"""TOML files -> `Catalogue`. One file per service, and ``keys.toml`` for what all share."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from diag.errors import DataError
from diag.model.catalogue import Catalogue, Meaning

_SERVICE_FILES = (
    "media_server.toml",
    "orchestrator.toml",
    "stt_service.toml",
    "llm_service.toml",
    "tts_service.toml",
    "logging_service.toml",
    "any_service.toml",
)

Pattern = tuple[re.Pattern[str], Meaning]


@cache
def load_catalogue() -> Catalogue:
    """The packaged catalogue."""
    keys = _read("keys.toml")
    exact: defaultdict[str, list[Meaning]] = defaultdict(list)
    patterns: list[Pattern] = []
    for name in _SERVICE_FILES:
        table = _read(name)
        for text, row in table["messages"].items():
            exact[text].append(_to_meaning(text, table["service"], row))
        patterns.extend(_to_patterns(name, table))
    return Catalogue(
        exact={text: tuple(known) for text, known in exact.items()},
        patterns=tuple(patterns),
        id_roles={key: role for role, names in keys["ids"].items() for key in names},
        content_keys=frozenset(keys["contents"]["keys"]),
        aliases={
            alias: service
            for service, row in keys["services"].items()
            for alias in (service, *row["aliases"])
        },
        sides={service: row["side"] for service, row in keys["services"].items()},
    )


def _read(name: str) -> dict[str, Any]:
    text = resources.files("diag.catalogue").joinpath(name).read_text("utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"catalogue file {name}: {error}") from error


def _to_meaning(text: str, service: str, row: Mapping[str, Any]) -> Meaning:
    return Meaning(
        text=text,
        service=service,
        event=row["event"],
        eras=frozenset(row["eras"].split()),
        attributes=row.get("attributes", {}),
        shows=tuple(row.get("shows", ())),
    )


def _to_patterns(name: str, table: Mapping[str, Any]) -> Iterator[Pattern]:
    for row in table.get("patterns", ()):
        try:
            yield re.compile(row["pattern"]), _to_meaning(row["shown"], table["service"], row)
        except re.error as error:
            raise DataError(f"catalogue file {name}: pattern {row['shown']!r}: {error}") from error
