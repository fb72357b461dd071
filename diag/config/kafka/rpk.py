"""``rpk.yaml``: the Kafka API of one profile, in our settings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diag.config.kafka.found import Found, refuse
from diag.model.secret import Secret

_TOP_KEY = re.compile(r"^(?:profiles|kafka_api|rpk|current_profile):", re.MULTILINE)
_PORT = re.compile(r":[0-9]+$")
_CLOUD_LOGIN = "CLOUD-OIDC"


def is_rpk(text: str) -> bool:
    """Whether a client's file is rpk's: its whole ``rpk.yaml``, one profile of it, or a ``redpanda.yaml``."""
    return _TOP_KEY.search(text) is not None


def find_rpk_file(environment: Mapping[str, str]) -> Path:
    """Where rpk keeps its profiles on this system."""
    home = Path(environment.get("HOME") or os.sep)
    if sys.platform == "darwin":
        return home / "Library/Application Support/rpk/rpk.yaml"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "rpk/rpk.yaml"


def read_rpk(text: str, place: str, profile: str) -> Found:
    """The connection of `profile`, or of the current one if it is empty; raises `SettingsError`."""
    chosen = _choose(_load(text, place), place, profile)
    api = _table(chosen.get("kafka_api"))
    if not api:
        raise refuse(place, "the profile has no kafka_api", "rpk profile set kafka_api.brokers=HOST:PORT")
    tls, sasl = _table(api.get("tls")), _table(api.get("sasl"))
    # As rpk has it: a table of its own is enough to mean TLS, and so is an empty one.
    has_tls = isinstance(api.get("tls"), dict) and tls.get("enabled") is not False
    mechanism = _text(sasl.get("mechanism") or sasl.get("type")).upper()
    if mechanism == _CLOUD_LOGIN:
        raise refuse(
            place,
            "the profile logs in with rpk's own cloud token, which is not supported",
            "make a SCRAM user that may read, and name it: DIAG_KAFKA_USERNAME, DIAG_KAFKA_PASSWORD",
        )
    values = {
        "bootstrap": ",".join(map(_with_port, map(_text, _list(api.get("brokers"))))),
        "security_protocol": ("SASL_" if sasl else "") + ("SSL" if has_tls else "PLAINTEXT"),
        "mechanism": mechanism,
        "username": _text(sasl.get("user")),
        "ca_file": _text(tls.get("ca_file") or tls.get("truststore_file")),
        "cert_file": _text(tls.get("cert_file")),
        "key_file": _text(tls.get("key_file")),
    }
    found: dict[str, Any] = {f"kafka.{name}": value for name, value in values.items() if value}
    if password := _text(sasl.get("password")):
        found["kafka.password"] = Secret(password)
    return Found(found, tuple(_find_notes(tls, place)))


def _load(text: str, place: str) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415  only this file is YAML

    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # The library's own text quotes the line, and the line may be the password's.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise refuse(f"{place}{line}", "is no YAML", "mend it; rpk profile print shows it") from None
    return _table(document)


def _choose(document: Mapping[str, Any], place: str, profile: str) -> Mapping[str, Any]:
    if "profiles" not in document:
        return _table(document.get("rpk")) or document
    profiles = {_text(one.get("name")): one for one in map(_table, _list(document.get("profiles")))}
    wanted = profile or _text(document.get("current_profile"))
    if wanted not in profiles:
        what = f"no profile {wanted!r}" if wanted else "no profile is the current one"
        raise refuse(place, what, f"--kafka-profile: {', '.join(profiles) or 'there is none'}")
    return profiles[wanted]


def _with_port(server: str) -> str:
    """Rpk takes the usual port where none stands."""
    return server if _PORT.search(server) else f"{server}:9092"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A text; what nobody quoted may have become a number, and then its digits are all that is left."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _find_notes(tls: Mapping[str, Any], place: str) -> Iterable[str]:
    if tls.get("insecure_skip_verify") is True:
        yield (
            f"{place}: insecure_skip_verify is not followed: "
            "diag always checks the broker's certificate and its name"
        )
