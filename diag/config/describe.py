"""Every setting with its meaning, from the one place that defines them: `diag.model.settings`.

A field's meaning is the docstring behind it. The interpreter keeps none of those, so the source is
read; where an installation has no source, settings are listed without their meaning.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from diag.config.load import BOUNDS, CHOICES, list_defaults, name_variables
from diag.config.secrets import is_secret
from diag.model import settings as definitions
from diag.model.findings import Severity
from diag.model.secret import Secret
from diag.model.settings import Settings
from diag.model.settings_report import SettingInfo


@cache
def describe_settings() -> tuple[SettingInfo, ...]:
    """All settings, in the order of their definition."""
    meanings = {f"{group}.{name}": text for group in _groups() for name, text in _meanings_of(group)}
    variables = {name: variable for variable, name in name_variables().items()}
    return tuple(
        SettingInfo(
            name=name,
            variable=variables[name],
            default="" if isinstance(default, Secret) else default,
            meaning=meanings.get(name, ""),
            allowed=_describe_allowed(name, default),
            secret=is_secret(name),
        )
        for name, default in list_defaults().items()
    )


def _groups() -> Iterator[str]:
    return (group.name for group in fields(Settings) if is_dataclass(getattr(Settings(), group.name)))


def _meanings_of(group: str) -> Iterator[tuple[str, str]]:
    """Each field of a group with the docstring that stands behind it."""
    for field, text in pairwise(_classes().get(type(getattr(Settings(), group)).__name__, [])):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                yield name, " ".join(meaning.replace("``", "").split())


@cache
def _classes() -> dict[str, list[ast.stmt]]:
    try:
        tree = ast.parse(inspect.getsource(definitions))
    except OSError:
        return {}
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _describe_allowed(name: str, default: Any) -> str:
    if isinstance(default, Severity):
        return f"one of {', '.join(severity.label for severity in Severity)}"
    if name in BOUNDS:
        least, greatest = BOUNDS[name]
        kind = "a number" if isinstance(default, float) else "a whole number"
        return f"{kind} from {least:g} to {greatest:,}"
    if name in CHOICES:
        return f"{' or '.join(CHOICES[name])}, or empty"
    return "a list of texts" if isinstance(default, tuple) else ""
