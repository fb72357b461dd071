"""Where a Kafka client's file stands among the settings, and where passwords come from.

The file is a layer of its own, just below the one that names it (flag, environment or diag.toml). It
describes a whole connection: what it leaves out is not filled from below, since another broker's certificate
or user has no business there. Only a password may come from anywhere, for a file is the better without one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from diag.config.kafka.exposure import warn_of_readers
from diag.config.kafka.found import Found, refuse
from diag.config.kafka.java import read_java
from diag.config.kafka.rpk import find_rpk_file, is_rpk, read_rpk
from diag.errors import SettingsError
from diag.model.secret import Secret
from diag.model.settings import KafkaSettings
from diag.model.settings_report import Origin

_FILE, _PROFILE = "kafka.config", "kafka.profile"
_PASSWORD, _PASSWORD_FILE = "kafka.password", "kafka.password_file"
NOT_IN_FILES = (_PASSWORD, "kafka.key_password")
"""Settings that a settings file may not hold."""
_NOT_OF_A_CONNECTION = (
    "via",
    "config",
    "profile",
    "password",
    "password_file",
    "key_password",
    "timeout_s",
    "max_records",
)
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings that came from one place.

    Attributes:
        values: dotted setting -> value as it was given.
        place: in words, for errors.
        origin: what kind of place it is.
        blanks: those of the settings that only hide what stands below.
    """

    values: Mapping[str, Any]
    place: str
    origin: Origin
    blanks: frozenset[str] = frozenset()


def complete_layers(
    layers: Sequence[Layer], environment: Mapping[str, str]
) -> tuple[list[Layer], tuple[str, ...]]:
    """The layers, weakest first, with what their files hold, and notes for the person.

    Raises `SettingsError` if a file that is named can not be read or used.
    """
    completed, notes = [], list[str]()
    named = _find_file(layers, environment)
    for layer in layers:
        if named is not None and layer is named.by:
            found = _read_file(named)
            completed.append(_hide_lower(found, str(named.path)))
            notes += found.notes
        password = layer.values.get(_PASSWORD_FILE)
        if isinstance(password, str) and password and not layer.values.get(_PASSWORD):
            secret, warnings = _read_password(Path(password), layer.place)
            layer = replace(layer, values={**layer.values, _PASSWORD: secret})  # noqa: PLW2901  same, completed
            notes += warnings
        completed.append(layer)
    return completed, tuple(notes)


def refuse_secrets(values: Container[str], place: str) -> None:
    """Raise `SettingsError` if a settings file holds a secret: such files are shown around and committed."""
    for name in NOT_IN_FILES:
        if name in values:
            variable = f"DIAG_{name.replace('.', '_').upper()}"
            remedy = f"{variable}, or password_file = PATH" if name == _PASSWORD else variable
            raise refuse(place, f"{name} does not belong in this file", f"use {remedy}")


@dataclass(frozen=True, slots=True)
class _Named:
    """A client's file, and the layer that names it."""

    path: Path
    profile: str
    by: Layer


def _find_file(layers: Sequence[Layer], environment: Mapping[str, str]) -> _Named | None:
    """The file that the strongest layer names; a profile alone is one of the file below, or of rpk's own."""
    path, profile, by = "", "", None
    for layer in layers:
        file = _text(layer, _FILE)
        if file or _text(layer, _PROFILE):
            profile = _text(layer, _PROFILE) or ("" if file else profile)
            path, by = file or path, layer
    if by is None:
        return None
    return _Named(Path(path) if path else find_rpk_file(environment), profile, by)


def _text(layer: Layer, name: str) -> str:
    value = layer.values.get(name)
    return value if isinstance(value, str) else ""  # what is none is refused with all the others


def _read_file(named: _Named) -> Found:
    place = str(named.path)
    text = _read(named.path, f"{named.by.place}: {_FILE}")
    if is_rpk(text):
        found = read_rpk(text, place, named.profile)
    elif named.profile:
        raise refuse(place, "is no rpk.yaml, so it has no profiles", "leave out --kafka-profile")
    else:
        found = read_java(text, place)
    has_secret = any(name in found.values for name in NOT_IN_FILES)
    return Found(found.values, (*found.notes, *(warn_of_readers(named.path) if has_secret else ())))


def _hide_lower(found: Found, place: str) -> Layer:
    """A client's file as a layer that lets nothing of another connection through."""
    blank = _blank_connection()
    values = {**blank, **found.values}
    return Layer(values, place, Origin.KAFKA_CONFIG, frozenset(blank.keys() - found.values.keys()))


def _blank_connection() -> dict[str, Any]:
    """Every setting of a connection as if nobody had given it."""
    defaults = KafkaSettings()
    return {
        f"kafka.{one.name}": getattr(defaults, one.name)
        for one in fields(KafkaSettings)
        if one.name not in _NOT_OF_A_CONNECTION
    }


def _read_password(path: Path, place: str) -> tuple[Secret, tuple[str, ...]]:
    text = _read(path, f"{place}: {_PASSWORD_FILE}").rstrip("\r\n")
    if not text:
        raise refuse(f"{place}: {_PASSWORD_FILE}", f"{path} is empty", "write the password into it")
    return Secret(text), warn_of_readers(path)


def _read(path: Path, place: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file name"
        raise SettingsError(f"{place}: {path}: {why}", hint="check the path") from error
    if len(raw) > _LONGEST:
        raise refuse(place, f"{path} is larger than 1 MiB", "name a client's settings, not its data")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # as Java reads its properties
