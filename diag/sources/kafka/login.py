"""How a connection is secured: which protocol, which login, which certificates.

TLS always checks the broker's certificate and its name; there is no way to say otherwise. What does not fit
together is refused before anything is asked of the broker, so that no password goes where none is wanted.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from diag.errors import SettingsError
from diag.model.settings import KafkaSettings
from diag.sources.kafka.google_token import fetch_google_token
from diag.sources.kafka.token_endpoint import check_endpoint, fetch_token
from diag.sources.kafka.tokens import Tokens

PLAINTEXT, TLS, LOGIN, LOGIN_TLS = "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
_PROTOCOLS = (PLAINTEXT, TLS, LOGIN, LOGIN_TLS)
OAUTHBEARER = "OAUTHBEARER"
_GOOGLE = "google"
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", OAUTHBEARER)


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """What every connection of a run has in common; it holds a password, so it has no `repr`.

    Attributes:
        protocol: of Kafka's four.
        mechanism: of SASL; empty without a login.
        tls: for the protocols with TLS.
        has_certificate: whether diag shows one of its own there.
        tokens: for OAUTHBEARER.
    """

    protocol: str
    mechanism: str = ""
    username: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    has_certificate: bool = False
    tokens: Tokens | None = None

    def arguments(self) -> dict[str, Any]:
        """For the library's clients and connections."""
        given: dict[str, Any] = {"security_protocol": self.protocol}
        if self.tls is not None:
            given["ssl_context"] = self.tls
        if self.mechanism:
            given |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
                "sasl_oauth_token_provider": self.tokens,
            }
        return given


def make_login(settings: KafkaSettings) -> Login:
    """The login that the settings ask for; raises `SettingsError` where they do not fit together."""
    protocol = _find_protocol(settings)
    tls = _make_context(settings) if protocol in (TLS, LOGIN_TLS) else None
    login = Login(protocol, tls=tls, has_certificate=bool(settings.cert_file))
    if protocol in (PLAINTEXT, TLS):
        return login
    mechanism = settings.mechanism.upper()
    if mechanism not in _MECHANISMS:
        raise _refuse_mechanism(settings)
    if mechanism == OAUTHBEARER:
        _check_oauth(settings, protocol)
        return replace(login, mechanism=mechanism, tokens=_make_tokens(settings))
    _need_user(settings, mechanism)
    return replace(
        login, mechanism=mechanism, username=settings.username, password=settings.password.reveal()
    )


def _need_user(settings: KafkaSettings, mechanism: str) -> None:
    if not settings.username or not settings.password:
        missing = "password" if settings.username else "username"
        raise SettingsError(
            f"Kafka: {mechanism} needs kafka.{missing}",
            hint=f"DIAG_KAFKA_{missing.upper()}, or --kafka-config",
        )


def _check_oauth(settings: KafkaSettings, protocol: str) -> None:
    if not settings.oauth_endpoint:
        raise SettingsError(
            "Kafka: OAUTHBEARER needs kafka.oauth_endpoint",
            hint="the URL that gives tokens, or google for Google's managed Kafka",
        )
    if settings.oauth_endpoint != _GOOGLE:
        check_endpoint(settings.oauth_endpoint)
        _need_user(settings, OAUTHBEARER)
    elif protocol != LOGIN_TLS:
        # That token opens more than the broker.
        raise SettingsError(
            "Kafka: Google's token is not sent without TLS",
            hint=f"set kafka.security_protocol to {LOGIN_TLS}",
        )


@lru_cache(maxsize=1)
def _make_tokens(settings: KafkaSettings) -> Tokens:
    """One source of tokens for all connections of a run."""
    fetch = fetch_google_token if settings.oauth_endpoint == _GOOGLE else fetch_token
    return Tokens(partial(fetch, settings))


def _refuse_mechanism(settings: KafkaSettings) -> SettingsError:
    allowed = f"one of {', '.join(_MECHANISMS)}"
    if settings.mechanism.upper() == "GSSAPI":
        return SettingsError(
            "Kafka: Kerberos (GSSAPI) is not supported", hint=f"kafka.mechanism is {allowed}"
        )
    if settings.mechanism:
        return SettingsError(f"kafka.mechanism must be {allowed}, not {settings.mechanism[:40]!r}")
    return SettingsError(
        "Kafka: kafka.mechanism is missing", hint=f"name {allowed}; the broker's owner knows it"
    )


def _find_protocol(settings: KafkaSettings) -> str:
    has_login = bool(settings.mechanism or settings.username or settings.oauth_endpoint)
    has_tls = bool(settings.ca_file or settings.cert_file)
    if not settings.security_protocol:
        return LOGIN_TLS if has_login else TLS if has_tls else PLAINTEXT
    protocol = settings.security_protocol.upper()
    if protocol not in _PROTOCOLS:
        raise SettingsError(
            f"kafka.security_protocol must be one of {', '.join(_PROTOCOLS)}, not {protocol[:40]!r}"
        )
    if has_tls and protocol in (PLAINTEXT, LOGIN):
        # Somebody thinks that there is TLS: better no connection than one that is readable on its way.
        raise SettingsError(
            f"Kafka: a certificate is named, and kafka.security_protocol is {protocol}",
            hint=f"use {LOGIN_TLS if protocol == LOGIN else TLS}, or leave the certificate out",
        )
    return protocol


def _make_context(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # that authority alone; it checks names, too
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load("ca_file", settings.ca_file, lambda: context.load_verify_locations(settings.ca_file))
    if settings.cert_file:
        _load("cert_file", settings.cert_file, lambda: _load_certificate(context, settings))
    elif settings.key_file:
        raise SettingsError("Kafka: kafka.key_file without kafka.cert_file", hint="name the certificate, too")
    return context


def _load_certificate(context: ssl.SSLContext, settings: KafkaSettings) -> None:
    # A function, for without one OpenSSL asks the terminal for the password of an encrypted key.
    context.load_cert_chain(
        settings.cert_file, settings.key_file or None, lambda: settings.key_password.reveal().encode()
    )


def _load(name: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in (error.reason or ""):
            what, remedy = (
                "the key is not the certificate's",
                "name the key that belongs to it in kafka.key_file",
            )
        elif name == "cert_file":
            what = "no certificate with a key can be read from it"
            remedy = (
                "it must be PEM; the key may stand in kafka.key_file, its password in DIAG_KAFKA_KEY_PASSWORD"
            )
        else:
            what, remedy = "no certificate can be read from it", "it must be PEM: -----BEGIN CERTIFICATE-----"
        raise SettingsError(f"kafka.{name}: {path}: {what}", hint=remedy) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file name"
        raise SettingsError(f"kafka.{name}: {path}: {why}", hint="check the path") from error
