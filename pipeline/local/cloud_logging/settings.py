"""Settings of the logging server: from the environment, and from flags that go before it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.local.cloud_logging.switches import Switches, change, list_switches
from pipeline.wire.environment import Environment, Listen, SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is.

    Attributes:
        listen: where it listens (HOST, PORT).
        projects: the only ones that have entries (GOOGLE_CLOUD_PROJECT, with commas between them).
        switches: how it behaves at first (each by its name in capitals).
        admin_port: where the switches can be changed while it runs (ADMIN_PORT); None: nowhere.
    """

    listen: Listen
    projects: tuple[str, ...]
    switches: Switches = field(default_factory=Switches)
    admin_port: int | None = None


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    names = environment.read_text("GOOGLE_CLOUD_PROJECT").split(",")
    projects = tuple(filter(None, map(str.strip, names)))
    if not projects:
        raise SettingsError("GOOGLE_CLOUD_PROJECT names no project")
    return Settings(
        environment.read_listen(), projects, _read_switches(environment), _read_admin(environment)
    )


def _read_switches(environment: Environment) -> Switches:
    given = {name: environment.read_text(name.upper(), "") for name in list_switches()}
    try:
        return change(Switches(), {name: text for name, text in given.items() if text})
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _read_admin(environment: Environment) -> int | None:
    text = environment.read_text("ADMIN_PORT", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SettingsError(f"ADMIN_PORT={text!r} is not a port number")
    return int(text)
