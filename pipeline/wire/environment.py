"""Settings from the environment: read once, first; what is wrong ends the process in one line.

Every service listens and connects on the loopback interface only, so that neither audio nor text
leaves the machine; that is judged here, for addresses and URLs alike.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
EXIT_SETTINGS = 2

Settings = TypeVar("Settings")


class SettingsError(ValueError):
    """A variable is missing or wrong; the text is one line that names it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a service listens.

    Attributes:
        host: an address of 127.0.0.0/8.
        port: 0 lets the system choose (for tests).
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Kafka:
    """How a service reaches Kafka.

    Attributes:
        bootstrap: ``address:port``, several joined by commas.
        client_id: names this process in a broker's list of group members.
    """

    bootstrap: str
    client_id: str


class Environment:
    """Reads variables by name; every method raises `SettingsError` with the variable's name in it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def read_text(self, name: str, default: str | None = None) -> str:
        """The variable's value; empty counts as not set."""
        value = self._variables.get(name, "").strip() or default
        if value is None:
            raise SettingsError(f"{name} is not set")
        return value

    def read_choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of `allowed`."""
        value = self.read_text(name, default)
        if value not in allowed:
            raise SettingsError(f"{name}={value!r} is none of {', '.join(allowed)}")
        return value

    def read_url(self, name: str) -> str:
        """An ``http`` URL on a loopback address, without a slash at its end."""
        value = self.read_text(name)
        try:
            return check_loopback_url(value, ("http",)).rstrip("/")
        except ValueError as error:
            raise SettingsError(f"{name}={value!r}: {error}") from error

    def read_listen(self) -> Listen:
        """HOST (default 127.0.0.1) and PORT."""
        host, port = self.read_text("HOST", LOOPBACK), self.read_text("PORT")
        if not is_loopback(host):
            raise SettingsError(f"HOST={host!r} is not an address of 127.0.0.0/8")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise SettingsError(f"PORT={port!r} is not a port number")
        return Listen(host, int(port))

    def read_kafka(self, service: str) -> Kafka:
        """KAFKA_BOOTSTRAP, and POD_NAME or else `service` as the client ID."""
        bootstrap = self.read_text("KAFKA_BOOTSTRAP")
        for server in bootstrap.split(","):
            try:
                check_loopback_url(f"kafka://{server.strip()}", ("kafka",))
            except ValueError as error:
                raise SettingsError(f"KAFKA_BOOTSTRAP={bootstrap!r}: {error}") from error
        return Kafka(bootstrap, self.read_text("POD_NAME", service))


def is_loopback(host: str) -> bool:
    """Whether `host` is an IPv4 address of 127.0.0.0/8; a name never is, whatever it resolves to."""
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def check_loopback_url(url: str, schemes: tuple[str, ...]) -> str:
    """`url` as it is; raises `ValueError` unless it names a port on a loopback address."""
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"the scheme is none of {', '.join(schemes)}")
    if not is_loopback(parts.hostname or ""):
        raise ValueError("the host is not an address of 127.0.0.0/8")
    if parts.port is None:
        raise ValueError("the port is missing")
    return url


def load_or_exit(read: Callable[[Environment], Settings]) -> Settings:
    """What `read` makes of this process's environment; on an error one line on stderr and exit 2."""
    return read_or_exit(read, Environment(os.environ))


def read_or_exit(read: Callable[[Environment], Settings], environment: Environment) -> Settings:
    """As `load_or_exit`, of another environment."""
    try:
        return read(environment)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_SETTINGS)
