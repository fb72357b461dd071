"""A plan that ``diag topics --save-plan`` wrote, as ``--apply`` reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diag.config.topics import parse_topics
from diag.errors import SettingsError
from diag.model.topics import PLAN_VERSION, SavedPlan

_HINT = "diag topics --save-plan FILE writes one"
_KEYS = frozenset({"plan_version", "cluster_id", "create"})


def load_saved_plan(file: str) -> SavedPlan:
    """The plan of `file`; raises `SettingsError` for what is none, so that nothing of it is done."""
    found = _read(file)
    if not isinstance(found, dict) or found.keys() != _KEYS:
        raise SettingsError(f"{file} is no plan of topics", hint=_HINT)
    if found["plan_version"] != PLAN_VERSION:
        raise SettingsError(
            f"{file} is a plan of another version ({found['plan_version']!r})", hint="make it anew"
        )
    cluster_id, rows = found["cluster_id"], found["create"]
    if not isinstance(cluster_id, str) or not cluster_id:
        raise SettingsError(f"{file}: the plan names no cluster", hint=_HINT)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f"{file}: create must be a list of topics", hint=_HINT)
    topics = parse_topics(rows, file)
    if len({one.name for one in topics}) < len(topics):
        raise SettingsError(f"{file}: the plan creates a topic twice", hint=_HINT)
    return SavedPlan(cluster_id, topics, file)


def _read(file: str) -> Any:
    try:
        return json.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}", hint="check --apply") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file} is no plan of topics ({error})", hint=_HINT) from error
