"""The addresses of a broker, checked before anything is asked of them."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from diag.errors import UsageError

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_SERVER = re.compile(
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*\.?|\[(?P<v6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{{1,5}})"
)
_LONGEST_SHOWN = 80


def parse_bootstrap(text: str) -> tuple[str, ...]:
    """The servers of ``host:port[,host:port]``; raises `UsageError` for anything else."""
    servers = tuple(one.strip() for one in text.split(","))
    if not all(map(_is_server, servers)):
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise UsageError(
            f"kafka.bootstrap (--kafka) must be host:port[,host:port], not {shown!r}",
            hint="for example --kafka broker:9092",
        )
    return servers


def _is_server(text: str) -> bool:
    match = _SERVER.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        return False
    try:
        return match["v6"] is None or bool(IPv6Address(match["v6"]))
    except ValueError:
        return False
