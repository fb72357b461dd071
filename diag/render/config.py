"""``diag config``: a settings file to begin with, the settings in force, and what is wrong in a file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from rich.text import Text

from diag.model.findings import Severity
from diag.model.settings_report import Origin, SettingInForce, SettingsInForce, SettingsReport
from diag.render.catalogue import describe_problem
from diag.render.json_v1 import SCHEMA_VERSION, Json, dump
from diag.render.neutral import shorten, to_plain
from diag.render.toml import quote

WIDTH = 80
_KEY, _VALUE, _WHERE = 18, 30, 28
_HEAD = """\
# Settings of diag. What is commented out shows the default.
# Options and DIAG_* variables win over this file. "diag config show" tells what
# is in force, "diag config validate" what is wrong here, and "diag doctor" what
# can be reached with it.
"""


def render_settings_file(rows: Iterable[SettingInForce]) -> str:
    """A settings file with every setting, its meaning and its value; defaults are commented out."""
    blocks = [_HEAD]
    for group, members in groupby(rows, lambda row: row.info.group):
        blocks.append("\n\n".join([f"[{group}]", *("\n".join(_lines_of(row)) for row in members)]) + "\n")
    return "\n".join(blocks)


def _lines_of(row: SettingInForce) -> Iterator[str]:
    allowed = f" Allowed: {row.info.allowed}." if row.info.allowed else ""
    told = f"{row.info.meaning}{allowed} ({row.info.variable})"
    yield from (f"# {line}" for line in textwrap.wrap(told, WIDTH - 2, break_long_words=False))
    given = f"{row.info.key} = {to_toml(row.value)}"
    yield f"#{given}" if row.origin is Origin.DEFAULT else f"{given}  # found in the kubeconfig"


def to_toml(value: Any) -> str:
    """A setting's value as its file writes it."""
    if isinstance(value, Severity):
        return quote(value.label)
    if isinstance(value, tuple):
        return f"[{', '.join(map(quote, value))}]"
    return quote(value) if isinstance(value, str) else str(value)


def render_settings(shown: SettingsInForce) -> Text:
    """The settings in force, table by table, each with its origin."""
    source = f"settings in force, from {to_plain(shown.file)}" if shown.file else "settings in force, no file"
    lines = [Text(shorten(source, WIDTH), style="bold")]
    for group, members in groupby(shown.rows, lambda row: row.info.group):
        lines += [Text(f"\n[{group}]"), *map(_row, members)]
    return Text("\n").join(lines)


def _row(row: SettingInForce) -> Text:
    value = shorten(to_plain(to_toml(row.value)), _VALUE)
    where = shorten(to_plain(row.where or row.origin.value), _WHERE)
    style = "dim" if row.origin is Origin.DEFAULT else ""
    return Text(f"  {row.info.key:<{_KEY}}{value:<{_VALUE}}  {where}", style=style)


def render_settings_json(shown: SettingsInForce) -> str:
    """The same for machines, version 1; ``config_v1.schema.json`` describes it."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "diag", "version": shown.version},
            "file": shown.file or None,
            "settings": [_to_json(row) for row in shown.rows],
        }
    )


def _to_json(row: SettingInForce) -> Json:
    return {
        "name": row.info.name,
        "value": _plain_value(row.value),
        "origin": row.origin.value,
        "where": row.where or None,
        "default": _plain_value(row.info.default),
        "secret": row.info.secret,
        "variable": row.info.variable,
        "meaning": row.info.meaning,
        "allowed": row.info.allowed or None,
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, Severity):
        return value.label
    return list(value) if isinstance(value, tuple) else value


def render_settings_report(report: SettingsReport) -> str:
    """``file:line: what is wrong; what to do``, one line each; without problems, what each place sets."""
    if report.problems:
        return "".join(f"{describe_problem(problem)}\n" for problem in report.problems)
    told = [f"{to_plain(one.place)}: {_count(one.settings)}, all right" for one in report.counts]
    return "".join(f"{line}\n" for line in told or ["no settings file here, and no variable: all defaults"])


def _count(number: int) -> str:
    return f"{number} setting{'' if number == 1 else 's'}"
