"""What ``diag config`` answers: every setting with its meaning, its value, and where that came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from diag.model.catalogue_report import Problem


class Origin(StrEnum):
    """Where the value of a setting came from; a later one wins over those before it."""

    DEFAULT = "default"
    KUBECONFIG = "kubeconfig"
    FILE = "file"
    KAFKA_CONFIG = "kafka-config"
    """Another Kafka client's file; it stands just above the place that names it."""
    ENVIRONMENT = "environment"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as it is defined.

    Attributes:
        name: dotted, ``kafka.bootstrap``.
        variable: the environment variable that sets it.
        default: in the type that the setting has.
        meaning: a sentence or two.
        allowed: in words, what a value must be; empty for any text.
        secret: its value is never shown.
    """

    name: str
    variable: str
    default: Any
    meaning: str
    allowed: str = ""
    secret: bool = False

    @property
    def group(self) -> str:
        """The table it stands in."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """Its name within the table."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting as it is in force.

    Attributes:
        value: in the type that the setting has; of a secret only that there is one, or none.
        where: the place that set it: ``diag.toml:3``, a variable, a context; empty for a default.
    """

    info: SettingInfo
    value: Any
    origin: Origin
    where: str = ""


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """What ``diag config show`` tells; `file` is the settings file that was read, empty if none."""

    file: str
    rows: tuple[SettingInForce, ...]
    version: str = ""


@dataclass(frozen=True, slots=True)
class SettingsCount:
    """How many settings one place sets."""

    place: str
    settings: int


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """What ``diag config validate`` found; a place that sets nothing has no row in `counts`."""

    counts: tuple[SettingsCount, ...]
    problems: tuple[Problem, ...]
