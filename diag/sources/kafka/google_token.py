"""The token that Google's managed Kafka takes, from application default credentials.

It is no signed JWT but looks like one: header, claims and the access token itself, each in base64, joined by
dots. Google's own login handlers make it so (github.com/googleapis/managedkafka).
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import time
from datetime import UTC, datetime
from typing import Any

from diag.errors import SourceError
from diag.model.settings import KafkaSettings
from diag.sources.kafka.tokens import Token

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_HEADER = {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
_LIFETIME_S = 300.0


def fetch_google_token(settings: KafkaSettings) -> Token:
    """A new token for the principal of the default credentials; raises `SourceError`.

    ``kafka.username`` names the principal where the credentials do not.
    """
    import google.auth  # noqa: PLC0415  only who uses Google's Kafka waits for it
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.auth.transport.requests import Request  # noqa: PLC0415

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(functools.partial(Request(), timeout=settings.timeout_s))  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise SourceError(
            f"Kafka: no usable Google credentials ({type(error).__name__})",
            hint="gcloud auth application-default login",
        ) from None
    principal = settings.username or _find_principal(credentials)
    if not principal:
        raise SourceError(
            "Kafka: the Google credentials do not say whose they are",
            hint="name the principal: DIAG_KAFKA_USERNAME=NAME@PROJECT.iam.gserviceaccount.com",
        )
    now = time.time()
    expiry: datetime | None = credentials.expiry
    expires = expiry.replace(tzinfo=UTC).timestamp() if expiry else now + _LIFETIME_S  # Google's is naive UTC
    claims = {"exp": int(expires), "iss": "Google", "iat": int(now), "scope": "kafka", "sub": principal}
    parts = (json.dumps(_HEADER), json.dumps(claims), str(credentials.token))
    return Token(".".join(map(_encode, parts)), expires)


def _find_principal(credentials: Any) -> str:
    """The address of a service account, or of the person; empty if the credentials do not tell."""
    address = str(getattr(credentials, "service_account_email", None) or "")
    if "@" in address:  # a machine's is called "default" until it has asked
        return address
    return str(getattr(credentials, "account", None) or "") or _read_address(
        str(getattr(credentials, "id_token", None) or "")
    )


def _read_address(id_token: str) -> str:
    """The e-mail address in an ID token; it comes from Google over TLS just now, so it is taken as it is."""
    _, _, rest = id_token.partition(".")
    claims = rest.partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("email")
    except (binascii.Error, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
