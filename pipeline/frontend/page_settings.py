"""Settings of the server of the page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.wire.environment import Environment, Listen, SettingsError, is_loopback

SERVICE = "frontend"


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the page's server is told.

    Attributes:
        listen: HOST, PORT.
        whip_url: the WHIP endpoint, as the caller's browser reaches it (WHIP_URL).
        ws_url: the orchestrator's socket, likewise (WS_URL).
    """

    listen: Listen
    whip_url: str
    ws_url: str


def read_page_settings(environment: Environment) -> PageSettings:
    """The settings; raises `SettingsError`."""
    return PageSettings(
        environment.read_listen(),
        _read_browser_url(environment, "WHIP_URL", ("http", "https")),
        _read_browser_url(environment, "WS_URL", ("ws", "wss")),
    )


def to_origin(url: str) -> str:
    """Scheme, host and port of `url`: what a content security policy names."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _read_browser_url(environment: Environment, name: str, schemes: tuple[str, ...]) -> str:
    """A URL for a browser: on this machine unless the deployment goes beyond it."""
    url = environment.read_text(name)
    beyond = environment.read_choice("LISTEN_BEYOND_LOOPBACK", "no", ("no", "yes")) == "yes"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(f"{name}={url!r}: {error}") from error
    if parts.scheme not in schemes:
        raise SettingsError(f"{name}={url!r}: the scheme is none of {', '.join(schemes)}")
    if not (beyond and host) and not (is_loopback(host) and port is not None):
        raise SettingsError(f"{name}={url!r}: it names no port on an address of 127.0.0.0/8")
    if "@" in parts.netloc or any(character in url for character in " ;,'\""):
        raise SettingsError(f"{name} is not a plain URL")
    return url
