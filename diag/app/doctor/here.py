"""What can be seen without asking anybody: the settings and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diag.app.config import validate_settings
from diag.model.checkup import Answer, Health, TerminalFacts

_COLUMNS = 80


def examine_settings(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None) -> Answer:
    """Whether every setting has sense, wherever it comes from; raises `SettingsError` for flags."""
    report = validate_settings(file, environment, flags)
    if report.problems:
        first, more = report.problems[0], len(report.problems) - 1
        place = f"{first.file}:{first.line}" if first.line else first.file
        others = f" (and {more} more: diag config validate)" if more else ""
        return Answer(Health.FAILED, f"{place}: {first.text}{others}", first.remedy)
    told = ", ".join(f"{one.place} sets {one.settings}" for one in report.counts)
    if told:
        return Answer(Health.OK, told)
    return Answer(Health.OK, "no settings file here, and no variable", "diag config init writes one")


def examine_terminal(terminal: TerminalFacts) -> Answer:
    """Whether what is shown can be read there."""
    if not terminal.encoding.lower().replace("-", "").startswith("utf8"):
        return Answer(
            Health.WARNING,
            f"the encoding is {terminal.encoding}: characters that it has not are shown as ?",
            "set LANG=C.UTF-8 or PYTHONUTF8=1",
        )
    if terminal.columns is None:
        return Answer(Health.OK, f"none: results are plain text, {terminal.encoding}")
    told = f"{terminal.columns} columns, {terminal.encoding}, {'' if terminal.colours else 'no '}colours"
    if terminal.columns < _COLUMNS:
        return Answer(Health.WARNING, told, f"make it {_COLUMNS} columns wide, or use -o json")
    return Answer(Health.OK, told)
