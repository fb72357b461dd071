"""The reasons why a broker can not be used, each with what to do about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka.errors import IllegalSaslStateError, SaslAuthenticationFailed

from diag.sources.kafka.login import OAUTHBEARER, Login
from diag.sources.kafka.route import NoWayError

_EXPIRED, _NOT_YET, _WRONG_NAME, _WRONG_ADDRESS = 10, 9, 62, 64
"""OpenSSL's verification codes (x509_vfy.h)."""
_OF_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "UNKNOWN_CA",
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN",
    "REVOKED",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a listener can not be used.

    Attributes:
        what: goes behind ``Kafka at HOST:PORT``.
        remedy: what to do.
        is_silent: nothing at all answered.
    """

    what: str
    remedy: str
    is_silent: bool = False

    def of_broker(self, host: str, port: int) -> Reason:
        """The same of a broker that the first one named."""
        return Reason(
            f"answers, and names the broker {host}:{port}, which {self.what}",
            f"{self.remedy}; its advertised.listeners must be reachable from here",
        )


NO_TLS = Reason(
    "speaks no TLS on this port",
    "name its TLS port, or set kafka.security_protocol to PLAINTEXT or SASL_PLAINTEXT if that is meant",
)
ONLY_TLS = Reason("speaks TLS on this port", "set kafka.security_protocol to SSL or SASL_SSL")
NO_LOGIN = Reason(
    "takes no login on this port", "name its SASL port, or set kafka.security_protocol to PLAINTEXT or SSL"
)
WANTS_CERTIFICATE = Reason("wants a client certificate", "name one in kafka.cert_file and kafka.key_file")
REFUSES_CERTIFICATE = Reason(
    "does not accept the client certificate",
    "check that kafka.cert_file is valid today and signed by an authority that the broker trusts",
)
REFUSES_TOKEN = Reason(
    "does not accept the token (OAUTHBEARER)",
    "check who may use the broker, and the scope and audience that kafka.oauth_endpoint gives",
)
"""Where a listener closes a connection right behind a token, it did not take it."""


def wants_login(mechanisms: tuple[str, ...], *, tls: bool) -> Reason:
    """It answers no request before a login."""
    protocol = "SASL_SSL" if tls else "SASL_PLAINTEXT"
    return Reason(
        f"wants a login ({', '.join(mechanisms)})",
        f"set kafka.security_protocol to {protocol}, kafka.mechanism, kafka.username and DIAG_KAFKA_PASSWORD",
    )


def lacks_mechanism(mechanism: str, mechanisms: tuple[str, ...]) -> Reason:
    """It takes logins of other kinds."""
    offered = ", ".join(mechanisms)
    return Reason(
        f"does not take {mechanism} logins" + (f", but {offered}" if offered else ""),
        f"set kafka.mechanism to {'one of these' if offered else 'one that the listener has'}",
    )


def has_no_way(error: NoWayError) -> Reason:
    """The tunnel says why it does not lead there."""
    return Reason(f"can not be reached: {error}", error.hint, is_silent=True)


def find_tls_reason(error: BaseException, host: str, login: Login) -> Reason | None:
    """What TLS itself says; None where it says nothing that has one meaning."""
    for one in chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return _of_certificate(one, host)
        if isinstance(one, ssl.SSLError):
            alert = one.reason or ""
            # Java's broker says "bad certificate" where there was none, too.
            if "ALERT" in alert and any(word in alert for word in _OF_CERTIFICATE):
                return REFUSES_CERTIFICATE if login.has_certificate else WANTS_CERTIFICATE
    return None


def _of_certificate(error: ssl.SSLCertVerificationError, host: str) -> Reason:
    if error.verify_code == _EXPIRED:
        return Reason("shows a certificate that has expired", "have the broker's certificate renewed")
    if error.verify_code == _NOT_YET:
        return Reason(
            "shows a certificate that is not valid yet",
            "check the clock of this machine, then the certificate",
        )
    if error.verify_code in (_WRONG_NAME, _WRONG_ADDRESS):
        return Reason(
            f"shows a certificate that is not for {host}",
            "name the broker as its certificate does, or have this name added to the certificate",
        )
    return Reason(
        "shows a certificate of an authority that is not known here",
        "name the authority's PEM file in kafka.ca_file",
    )


def to_reason(error: BaseException, login: Login) -> Reason | None:
    """What an error says without asking the listener anything."""
    for one in chain(error):
        if isinstance(one, SaslAuthenticationFailed):
            return REFUSES_TOKEN if login.mechanism == OAUTHBEARER else _wrong_password(login)
        if isinstance(one, IllegalSaslStateError):
            return NO_LOGIN
        if isinstance(one, ConnectionRefusedError):
            return Reason(
                "refuses the connection: nothing listens there",
                "check host and port of --kafka",
                is_silent=True,
            )
        if isinstance(one, socket.gaierror):
            return Reason(
                "has a name that is not known here (DNS)", "check the host of --kafka", is_silent=True
            )
        if isinstance(one, TimeoutError):
            return Reason(
                "does not answer in time",
                "check that a firewall lets this machine in, and kafka.timeout_s",
                is_silent=True,
            )
    return None


def _wrong_password(login: Login) -> Reason:
    return Reason(
        f"does not accept this username and password ({login.mechanism})",
        "check kafka.username, the password, and that the user exists for this mechanism",
    )


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, one by one."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
