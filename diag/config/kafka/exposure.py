"""Who else can read a password: on this machine, and on its way."""

from __future__ import annotations

import stat
from ipaddress import ip_address
from pathlib import Path

from diag.model.settings import KafkaSettings

_LONGEST = 1 << 20


def warn_of_key(kafka: KafkaSettings) -> tuple[str, ...]:
    """A warning if everybody on this machine can read the key of diag's own certificate."""
    path = Path(kafka.key_file or kafka.cert_file)
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST)
    except (OSError, ValueError):
        return ()  # who uses it says so
    has_open_key = b"PRIVATE KEY-----" in text and b"ENCRYPTED" not in text
    return warn_of_readers(path) if has_open_key else ()


def warn_of_readers(path: Path) -> tuple[str, ...]:
    """A warning if everybody on this machine can read what is a secret in this file."""
    try:
        readable = bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return ()
    return (f"{path} holds a secret and everybody here can read it (chmod o-r)",) if readable else ()


def warn_of_wire(kafka: KafkaSettings) -> tuple[str, ...]:
    """A warning if the password itself goes to another machine without TLS."""
    in_clear = kafka.security_protocol.upper() == "SASL_PLAINTEXT" and kafka.mechanism.upper() in (
        "PLAIN",
        "OAUTHBEARER",
    )
    if not in_clear or all(map(_is_here, kafka.bootstrap.split(","))):
        return ()
    return (
        f"Kafka: {kafka.mechanism.upper()} without TLS sends the secret readable (use SASL_SSL, or SCRAM)",
    )


def _is_here(server: str) -> bool:
    host = server.strip().rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
