"""Flag, environment, file, default: the first that names a setting wins.

The environment variable of ``[kafka] bootstrap`` is ``DIAG_KAFKA_BOOTSTRAP``; a flag is given as
``{"kafka.bootstrap": value}``. A key that does not exist is an error that names the nearest one.
A list stands in the environment with commas. Files that the settings file names are looked for beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diag.config.kafka import Layer, complete_layers, refuse_secrets, warn_of_key, warn_of_wire
from diag.config.secrets import is_secret, to_shown
from diag.errors import SettingsError
from diag.model.findings import Severity
from diag.model.log_resources import parse_resources
from diag.model.secret import Secret
from diag.model.settings import Settings
from diag.model.settings_report import Origin

if TYPE_CHECKING:
    from diag.catalogue.document import Document

DEFAULT_FILE = "diag.toml"
ENVIRONMENT = "the environment"
COMMAND_LINE = "the command line"
_PREFIX = "DIAG_"
_PATHS = (
    "topics.file",
    "catalogue.files",
    "kubernetes.kubeconfig",
    "repo.path",
    "manifests.path",
    *(f"kafka.{name}" for name in ("config", "password_file", "ca_file", "cert_file", "key_file")),
)
_ADDRESSES = ("logging.endpoint", "kubernetes.gke_endpoint", "kafka.bootstrap", "kafka.oauth_endpoint")
_WITH_COMMAS = ("logging.project", "cluster.name", "cluster.location", "cluster.namespace")
"""Texts that may name several: with commas between, in a file as a list, too."""
_LONGEST_SHOWN = 40

BOUNDS = {
    "logging.quota": (1, 6000),
    "logging.max_pages": (1, 10_000),
    "kubernetes.timeout_s": (0.1, 600.0),
    "kubernetes.log_kb": (1, 1_000_000),
    "kafka.timeout_s": (0.1, 600.0),
    "kafka.max_records": (1, 100_000_000),
    "repo.timeout_s": (1, 600),
    "work.memory_mb": (256, 1_000_000),
    "work.processes": (0, 256),
    "cache.max_mb": (0, 1_000_000),
}
"""Least and greatest value of every setting that is a number."""

CHOICES = {"kafka.via": ("port-forward",)}
"""What a setting that is a text may be, where that is not any text; empty always goes."""

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
    return load_with_origins(flags, environment, file)[0]


def load_with_origins(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> tuple[Settings, dict[str, Origin]]:
    """As `load_settings`, and where each setting that is not a default came from; raises `SettingsError`."""
    path = file or find_file()
    document = _read_file(path) if path else None
    layers, notes = complete_layers(
        [
            Layer(_list_values(document) if document else {}, str(path), Origin.FILE),
            Layer(read_environment(environment), ENVIRONMENT, Origin.ENVIRONMENT),
            Layer({k: value for k, value in flags.items() if value is not None}, COMMAND_LINE, Origin.OPTION),
        ],
        environment,
    )
    settings, origins = Settings(file=str(path or "")), dict[str, Origin]()
    for layer in layers:
        for name, value in layer.values.items():
            in_file = document if layer.origin is Origin.FILE else None
            settings = apply(settings, {name: value}, _place_in(in_file, name) if in_file else layer.place)
        origins |= {name: Origin.DEFAULT if name in layer.blanks else layer.origin for name in layer.values}
    notes = (*notes, *warn_of_key(settings.kafka), *warn_of_wire(settings.kafka))
    return replace(settings, notes=notes), origins


def find_file() -> Path | None:
    """``diag.toml`` here: what lies under this name is meant, and said if it can not be read."""
    return Path(DEFAULT_FILE) if os.path.lexists(DEFAULT_FILE) else None


def list_defaults() -> dict[str, Any]:
    """Every dotted setting with its default."""
    defaults = Settings()
    return {
        f"{group.name}.{one.name}": getattr(getattr(defaults, group.name), one.name)
        for group in fields(Settings)
        if is_dataclass(getattr(defaults, group.name))
        for one in fields(getattr(defaults, group.name))
    }


def _read_file(path: Path) -> Document:
    """The settings file; raises `SettingsError`, with the line if there is one."""
    from diag.config.document import read_settings_document  # noqa: PLC0415  the help needs no file

    document = read_settings_document(str(path))
    problem = document.unreadable
    if problem is not None and problem.line:
        raise SettingsError(f"{path}:{problem.line}: {problem.text}", hint="it must be TOML")
    if problem is not None:
        is_default = path == Path(DEFAULT_FILE)
        hint = "settings are read from it: mend or move it" if is_default else "check --config"
        raise SettingsError(f"{path}: {problem.text}", hint=hint)
    return document


def _list_values(document: Document) -> Values:
    """What stands in the file, by its dotted name; raises `SettingsError` for what does not belong there."""
    values = {}
    for group, rows in document.table.items():
        if not isinstance(rows, dict):
            raise _unknown(group, _place_in(document, group))
        values.update({f"{group}.{name}": value for name, value in rows.items()})
    for name in values:
        refuse_secrets((name,), _place_in(document, name))
    path = Path(document.name)
    return {name: _beside(path, value) if name in _PATHS else value for name, value in values.items()}


def _place_in(document: Document, name: str) -> str:
    return f"{document.name}:{document.line_of(tuple(name.split('.', 1)))}"


def _beside(file: Path, value: Any) -> Any:
    """Paths as seen from the folder of the settings file; an absolute one stays."""
    if isinstance(value, list):
        return [_beside(file, one) for one in value]
    return str(file.parent / value) if isinstance(value, str) and value else value


def read_environment(environment: Mapping[str, str]) -> Values:
    """The settings that variables give; raises `SettingsError` for one that is none."""
    by_variable = name_variables()
    values = {}
    for variable, value in environment.items():
        if variable.startswith(_PREFIX):
            if variable not in by_variable:
                raise SettingsError(
                    f"{ENVIRONMENT}: no setting {variable}", hint=_name_nearest(variable, by_variable)
                )
            values[by_variable[variable]] = value
    return values


def name_variables() -> dict[str, str]:
    """Every environment variable that is a setting, with the setting's dotted name."""
    return {_PREFIX + name.replace(".", "_").upper(): name for name in list_defaults()}


def apply(settings: Settings, values: Mapping[str, Any], origin: str) -> Settings:
    """`settings` with these values laid over them; raises `SettingsError`, which names `origin`."""
    known = list_defaults()
    for name, value in values.items():
        if name not in known:
            raise _unknown(name, origin)
        group, _, field = name.partition(".")
        converted = _convert(name, value, known[name], origin)
        settings = replace(settings, **{group: replace(getattr(settings, group), **{field: converted})})
    return settings


def _unknown(name: str, origin: str) -> SettingsError:
    return SettingsError(f"{origin}: no setting {name}", hint=_name_nearest(name, list_defaults()))


def _name_nearest(name: str, known: Iterable[str]) -> str:
    """Only what a typo may have made `name` of: anything else would send its reader astray."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "diag config show lists them all"


def _convert(name: str, value: Any, default: Any, origin: str) -> Any:
    """`value` in the type that the setting has."""
    if isinstance(default, Severity):
        return _to_severity(name, value, origin)
    if isinstance(default, tuple):
        return _to_texts(name, value, origin)
    if isinstance(default, Secret):
        return value if isinstance(value, Secret) else Secret(str(value))
    if isinstance(default, str):
        return _to_text(name, value, origin)
    least, greatest = BOUNDS[name]
    number = _to_number(value)
    if number is not None and least <= number <= greatest:
        if isinstance(default, float):
            return number
        if number.is_integer():
            return int(number)
    kind = "a number" if isinstance(default, float) else "a whole number"
    raise _wrong(name, value, origin, f"{kind} from {least:g} to {greatest:,}")


def _to_text(name: str, value: Any, origin: str) -> str:
    if name in _WITH_COMMAS and isinstance(value, list):
        value = ",".join(_to_texts(name, value, origin))
    if not isinstance(value, str):
        raise _wrong(name, value, origin, "a text")
    if value and value not in CHOICES.get(name, (value,)):
        raise _wrong(name, value, origin, f"{' or '.join(CHOICES[name])}, or empty")
    if name in _ADDRESSES and "@" in value:  # every error and coverage would name it
        raise SettingsError(
            f"{origin}: {name} must be an address without a login", hint="leave out all up to the @"
        )
    if name == "logging.project":
        _check_projects(value, origin)
    return value


def _check_projects(value: str, origin: str) -> None:
    try:
        parse_resources(value)
    except ValueError as error:
        raise SettingsError(
            f"{origin}: logging.project: {error}",
            hint="a project's ID, or projects/P/locations/L/buckets/B/views/V",
        ) from error


def _to_number(value: Any) -> float | None:
    """A number, or a text of one; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _wrong(name: str, value: Any, origin: str, allowed: str) -> SettingsError:
    shown = "what is given" if is_secret(name) else repr(to_shown(name, value))
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}..."
    return SettingsError(f"{origin}: {name} must be {allowed}, not {shown}")


def _to_texts(name: str, value: Any, origin: str) -> tuple[str, ...]:
    texts = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(one, str) and one for one in texts):
        raise _wrong(name, value, origin, "a list of texts")
    return tuple(texts)


def _to_severity(name: str, value: Any, origin: str) -> Severity:
    if isinstance(value, Severity):
        return value
    labels = [severity.label for severity in Severity]
    if value not in labels:
        raise _wrong(name, value, origin, f"one of {', '.join(labels)}")
    return Severity(labels.index(value))
