"""A token for a client's ID and secret (RFC 6749, section 4.4), asked as the Java client asks for it."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from diag.errors import SettingsError, SourceError
from diag.model.settings import KafkaSettings
from diag.sources.kafka.tokens import Token

_LONGEST = 1 << 20
_LIFETIME_S = 300.0
"""Where the endpoint does not say how long its token lives."""
_WORD = re.compile(r"[a-z_]{1,40}")


def check_endpoint(url: str) -> None:
    """Raise `SettingsError` if a client's secret must not be sent there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        allowed = bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host)))
    except ValueError:
        allowed = False
    if not allowed:
        raise SettingsError(
            "kafka.oauth_endpoint must be an https URL, or google for Google's managed Kafka",
            hint="without TLS only an address of this machine is allowed",
        )


def _is_here(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback


def fetch_token(settings: KafkaSettings) -> Token:
    """A new token of ``kafka.oauth_endpoint``; raises `SourceError`."""
    request = _make_request(settings)
    try:
        with _make_opener(settings).open(request, timeout=settings.timeout_s) as response:
            answer = json.loads(response.read(_LONGEST))
    except urllib.error.HTTPError as error:
        with error:
            raise _fail(settings, _explain_status(error)) from None
    except urllib.error.URLError as error:
        raise _fail(settings, _explain_failure(error.reason)) from None
    except (OSError, HTTPException) as error:
        raise _fail(settings, _explain_failure(error)) from None
    except (ValueError, RecursionError):
        raise _fail(settings, "did not answer with JSON") from None
    return _to_token(answer, settings)


def _make_request(settings: KafkaSettings) -> urllib.request.Request:
    form = {"grant_type": "client_credentials"} | (
        {"scope": settings.oauth_scope} if settings.oauth_scope else {}
    )
    who = base64.b64encode(f"{settings.username}:{settings.password.reveal()}".encode()).decode()
    return urllib.request.Request(  # noqa: S310  https, or this machine: see check_endpoint
        settings.oauth_endpoint,
        urlencode(form).encode(),
        {"Authorization": f"Basic {who}", "Accept": "application/json"},
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The library's own handler would take the secret along to wherever it is sent."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


def _make_opener(settings: KafkaSettings) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)  # beside the system's: the two may have one authority
    handlers = [_NoRedirect(), urllib.request.HTTPSHandler(context=context)]
    if not settings.oauth_endpoint.startswith("https:"):
        handlers.append(urllib.request.ProxyHandler({}))  # what is not encrypted stays on this machine
    return urllib.request.build_opener(*handlers)


def _to_token(answer: Any, settings: KafkaSettings) -> Token:
    text = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not text:
        raise _fail(settings, "answered without an access_token")
    lifetime = answer.get("expires_in")
    known = isinstance(lifetime, int | float) and not isinstance(lifetime, bool)
    return Token(text, time.time() + (lifetime if known else _LIFETIME_S))


def _explain_status(error: urllib.error.HTTPError) -> str:
    """The status, and the error's own word (RFC 6749, section 5.2) where there is one."""
    if error.status is not None and 300 <= error.status < 400:
        return f"redirects ({error.status}), which is not followed with a secret"
    try:
        word = json.loads(error.read(_LONGEST)).get("error")
    except (OSError, HTTPException, ValueError, AttributeError, RecursionError):
        word = None
    said = f": {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""
    return f"refuses kafka.username and its secret ({error.status}{said})"


def _explain_failure(reason: Any) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"shows a certificate that can not be trusted ({reason.verify_message})"
    if isinstance(reason, TimeoutError):
        return "does not answer in time"
    if isinstance(reason, ConnectionRefusedError):
        return "refuses the connection"
    return f"can not be reached ({type(reason).__name__})"


def _fail(settings: KafkaSettings, what: str) -> SourceError:
    host = urlsplit(settings.oauth_endpoint).hostname
    return SourceError(
        f"Kafka: the token endpoint at {host} {what}",
        hint="check kafka.oauth_endpoint, kafka.username, DIAG_KAFKA_PASSWORD and kafka.oauth_scope",
    )
