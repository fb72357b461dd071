"""``diag doctor``: each probe with its evidence and what to do, for people and for machines."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from diag.model.checkup import Checkup, Health, Probed
from diag.render.json_v1 import SCHEMA_VERSION, dump
from diag.render.neutral import shorten, to_plain

WIDTH = 80
_STATE, _NAME = 11, 14
_LONGEST = 400
_STYLE = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILED: "red", Health.NOT_ASKED: "dim"}
_SHOWN = {state: state.value.replace("_", " ") for state in Health}


def render_checkup(checkup: Checkup) -> Text:
    """A line or two for each probe, and how many came out how."""
    lines = [line for probed in checkup.probes for line in _lines_of(probed)]
    counts = Counter(one.answer.state for one in checkup.probes)
    told = ", ".join(f"{counts[state]} {_SHOWN[state]}" for state in Health if counts[state])
    return Text("\n").join([*lines, Text(""), Text(told, style="bold")])


def _lines_of(probed: Probed) -> Iterator[Text]:
    answer = probed.answer
    first, *rest = _wrap(answer.evidence)
    head = Text("  ").append(f"{_SHOWN[answer.state]:<{_STATE}}", style=_STYLE[answer.state])
    yield head.append(f"{probed.name:<{_NAME}}{first}")
    indent = " " * (2 + _STATE + _NAME)
    yield from (Text(indent + line) for line in rest)
    if answer.remedy:
        yield from (Text(indent + line, style="dim") for line in _wrap(f"to do: {answer.remedy}"))


def _wrap(text: str) -> list[str]:
    """Within the columns that are left; one word that is longer is broken."""
    return textwrap.wrap(shorten(to_plain(text), _LONGEST), WIDTH - 2 - _STATE - _NAME) or [""]


def render_checkup_json(checkup: Checkup) -> str:
    """One object with a newline at its end; ``doctor_v1.schema.json`` describes it."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "diag", "version": checkup.version},
            "probes": [
                {
                    "name": one.name,
                    "state": one.answer.state.value,
                    "evidence": one.answer.evidence,
                    "remedy": one.answer.remedy or None,
                    "partial": one.answer.partial,
                }
                for one in checkup.probes
            ],
        }
    )
