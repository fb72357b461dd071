"""Settings from the environment: read once, first; what is wrong ends the process in one line.

Every service listens and connects on the loopback interface only, so that neither audio nor text
leaves the machine; that is judged here, for addresses and URLs alike. In a cluster, where a pod has
an address of its own, ``LISTEN_BEYOND_LOOPBACK=yes`` lifts both. Nothing on one machine sets it.
"""

from __future__ import annotations

import ipaddress
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
BEYOND_LOOPBACK = "LISTEN_BEYOND_LOOPBACK"
EXIT_SETTINGS = 2

Settings = TypeVar("Settings")


class SettingsError(ValueError):
    """A variable is missing or wrong; the text is one line that names it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a service listens.

    Attributes:
        host: an address of 127.0.0.0/8, or any address if `beyond_loopback`.
        port: 0 lets the system choose (for tests).
        beyond_loopback: whether other machines may be let in.
    """

    host: str
    port: int
    beyond_loopback: bool = False

    def check(self) -> None:
        """Raise `ValueError` for an address that must not be listened on."""
        if not is_loopback(self.host) and not (self.beyond_loopback and is_address(self.host)):
            raise ValueError(f"{self.host!r} is not an address of 127.0.0.0/8")


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

    def read_beyond_loopback(self) -> bool:
        """LISTEN_BEYOND_LOOPBACK: whether to listen and connect beyond this machine; no by default."""
        return self.read_choice(BEYOND_LOOPBACK, "no", ("no", "yes")) == "yes"

    def read_seconds(self, name: str, default: float, bounds: tuple[float, float]) -> float:
        """A number of seconds within `bounds`."""
        text = self.read_text(name, f"{default:g}")
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        least, most = bounds
        if not least <= seconds <= most:
            raise SettingsError(f"{name}={text!r} is not a number of seconds from {least:g} to {most:g}")
        return seconds

    def read_page_origin(self) -> str | None:
        """PAGE_ORIGIN: scheme, host and maybe port of the page's address; None for pages of this machine."""
        origin = self.read_text("PAGE_ORIGIN", "none")
        if origin == "none":
            return None
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
            raise SettingsError(f"PAGE_ORIGIN={origin!r} is not scheme://host[:port]")
        return origin

    def read_url(self, name: str) -> str:
        """An ``http`` URL with a port, on a loopback address, without a slash at its end."""
        value = self.read_text(name)
        try:
            return self._check_url(value, "http").rstrip("/")
        except ValueError as error:
            raise SettingsError(f"{name}={value!r}: {error}") from error

    def read_listen(self) -> Listen:
        """HOST (default 127.0.0.1) and PORT."""
        host, port = self.read_text("HOST", LOOPBACK), self.read_text("PORT")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise SettingsError(f"PORT={port!r} is not a port number")
        listen = Listen(host, int(port), self.read_beyond_loopback())
        try:
            listen.check()
        except ValueError as error:
            raise SettingsError(f"HOST={error}") from error
        return listen

    def read_kafka(self, service: str) -> Kafka:
        """KAFKA_BOOTSTRAP, and POD_NAME or else `service` as the client ID."""
        bootstrap = self.read_text("KAFKA_BOOTSTRAP")
        for server in bootstrap.split(","):
            try:
                self._check_url(f"kafka://{server.strip()}", "kafka")
            except ValueError as error:
                raise SettingsError(f"KAFKA_BOOTSTRAP={bootstrap!r}: {error}") from error
        return Kafka(bootstrap, self.read_text("POD_NAME", service))

    def _check_url(self, url: str, scheme: str) -> str:
        check = check_url if self.read_beyond_loopback() else check_loopback_url
        return check(url, (scheme,))


def is_loopback(host: str) -> bool:
    """Whether `host` is an IPv4 address of 127.0.0.0/8; a name never is, whatever it resolves to."""
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether `host` is an IP address; a name is none."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_url(url: str, schemes: tuple[str, ...]) -> str:
    """`url` as it is; raises `ValueError` unless it names a host and a port."""
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(f"the scheme is none of {', '.join(schemes)}")
    if not parts.hostname:
        raise ValueError("the host is missing")
    if parts.port is None:
        raise ValueError("the port is missing")
    return url


def check_loopback_url(url: str, schemes: tuple[str, ...]) -> str:
    """`url` as it is; raises `ValueError` unless it names a port on a loopback address."""
    if not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError("the host is not an address of 127.0.0.0/8")
    return check_url(url, schemes)


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
