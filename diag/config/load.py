"""Flag, environment, file, default: the first that names a setting wins.

The environment variable of ``[kafka] bootstrap`` is ``DIAG_KAFKA_BOOTSTRAP``; a flag is given as
``{"kafka.bootstrap": value}``. A key that does not exist is an error that names the nearest one.
A list stands in the environment with commas. Files that the settings file names are looked for beside it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from diag.errors import SettingsError
from diag.model.findings import Severity
from diag.model.settings import Settings

DEFAULT_FILE = "diag.toml"
_PREFIX = "DIAG_"
_PATHS = ("topics.file", "catalogue.files")
_LONGEST_SHOWN = 40

_BOUNDS = {
    "logging.quota": (1, 6000),
    "logging.max_pages": (1, 10_000),
    "kafka.timeout_s": (0.1, 600.0),
    "kafka.max_records": (1, 100_000_000),
    "work.memory_mb": (256, 1_000_000),
    "work.processes": (0, 256),
    "cache.max_mb": (0, 1_000_000),
}
"""Least and greatest value of every setting that is a number."""

Values = dict[str, Any]


def load_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> Settings:
    """The settings of this run; raises `SettingsError`.

    Args:
        flags: dotted setting -> value; None counts as not given.
        environment: the process's own.
        file: named by the user, and then it must exist; else ``diag.toml`` here, if there is one.
    """
    # lexists: what lies here under this name is meant, and said if it can not be read
    path = file or (Path(DEFAULT_FILE) if os.path.lexists(DEFAULT_FILE) else None)
    layers = [
        _read_file(path) if path else {},
        _read_environment(environment),
        {name: value for name, value in flags.items() if value is not None},
    ]
    settings = Settings(file=str(path or ""))
    for layer, origin in zip(layers, (str(path), "the environment", "the command line"), strict=True):
        settings = _apply(settings, layer, origin)
    return settings


def _names() -> dict[str, Any]:
    """Every dotted setting with its default."""
    defaults = Settings()
    return {
        f"{group.name}.{one.name}": getattr(getattr(defaults, group.name), one.name)
        for group in fields(Settings)
        if group.name != "file"
        for one in fields(getattr(defaults, group.name))
    }


def _read_file(path: Path) -> Values:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        hint = (
            "settings are read from it: mend or move it" if path == Path(DEFAULT_FILE) else "check --config"
        )
        raise SettingsError(f"{path}: {error.strerror}", hint=hint) from error
    except (ValueError, RecursionError) as error:  # TOML's, UTF-8's, and a number of 5000 digits
        raise SettingsError(f"{path}: {error}", hint="it must be TOML") from error
    values = {}
    for group, rows in table.items():
        if not isinstance(rows, dict):
            raise _unknown(group, str(path))
        values.update({f"{group}.{name}": value for name, value in rows.items()})
    return {name: _beside(path, value) if name in _PATHS else value for name, value in values.items()}


def _beside(file: Path, value: Any) -> Any:
    """Paths as seen from the folder of the settings file; an absolute one stays."""
    if isinstance(value, list):
        return [_beside(file, one) for one in value]
    return str(file.parent / value) if isinstance(value, str) and value else value


def _read_environment(environment: Mapping[str, str]) -> Values:
    by_variable = name_variables()
    values = {}
    for variable, value in environment.items():
        if variable.startswith(_PREFIX):
            if variable not in by_variable:
                near = get_close_matches(variable, by_variable, n=1, cutoff=0.0)
                raise SettingsError(
                    f"the environment: no setting {variable}", hint=f"did you mean {near[0]}?"
                )
            values[by_variable[variable]] = value
    return values


def name_variables() -> dict[str, str]:
    """Every environment variable that is a setting, with the setting's dotted name."""
    return {_PREFIX + name.replace(".", "_").upper(): name for name in _names()}


def _apply(settings: Settings, values: Values, origin: str) -> Settings:
    known = _names()
    for name, value in values.items():
        if name not in known:
            raise _unknown(name, origin)
        group, _, field = name.partition(".")
        converted = _convert(name, value, known[name], origin)
        settings = replace(settings, **{group: replace(getattr(settings, group), **{field: converted})})
    return settings


def _unknown(name: str, origin: str) -> SettingsError:
    near = get_close_matches(name, _names(), n=1, cutoff=0.0)
    return SettingsError(f"{origin}: no setting {name}", hint=f"did you mean {near[0]}?")


def _convert(name: str, value: Any, default: Any, origin: str) -> Any:
    """`value` in the type that the setting has."""
    if isinstance(default, Severity):
        return _to_severity(name, value, origin)
    if isinstance(default, tuple):
        return _to_texts(name, value, origin)
    if isinstance(default, str):
        if not isinstance(value, str):
            raise _wrong(name, value, origin, "a text")
        return value
    least, greatest = _BOUNDS[name]
    number = _to_number(value)
    if number is not None and least <= number <= greatest:
        if isinstance(default, float):
            return number
        if number.is_integer():
            return int(number)
    kind = "a number" if isinstance(default, float) else "a whole number"
    raise _wrong(name, value, origin, f"{kind} from {least:g} to {greatest:,}")


def _to_number(value: Any) -> float | None:
    """A number, or a text of one; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _wrong(name: str, value: Any, origin: str, allowed: str) -> SettingsError:
    shown = repr(value)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}..."
    return SettingsError(f"{origin}: {name} must be {allowed}, not {shown}")


def _to_texts(name: str, value: Any, origin: str) -> tuple[str, ...]:
    texts = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) and one for one in texts):
        raise SettingsError(f"{origin}: {name} must be a list of texts, not {value!r}")
    return tuple(texts)


def _to_severity(name: str, value: Any, origin: str) -> Severity:
    if isinstance(value, Severity):
        return value
    labels = [severity.label for severity in Severity]
    if value not in labels:
        raise _wrong(name, value, origin, f"one of {', '.join(labels)}")
    return Severity(labels.index(value))
