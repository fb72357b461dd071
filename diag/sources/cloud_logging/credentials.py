"""Which credentials there are for Cloud Logging, and whether they still work. Nothing of them is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Any

import google.auth
from google.auth import environment_vars
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from diag.errors import SourceError
from diag.model.instants import NS_PER_S
from diag.sources.cloud_logging.client import to_auth_error

_SCOPES = ("https://www.googleapis.com/auth/logging.read",)
_TIMEOUT_S = 5.0
_KINDS = {
    "google.oauth2.credentials": "a user's login",
    "google.oauth2.service_account": "a service account's key",
    "google.auth.compute_engine": "the metadata server",
    "google.auth.impersonated_credentials": "an impersonated service account",
    "google.auth.external_account_authorized_user": "a user's login by workforce identity",
    "google.auth.aws": "workload identity federation",
    "google.auth.identity_pool": "workload identity federation",
    "google.auth.pluggable": "workload identity federation",
}


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """What may be told of credentials.

    Attributes:
        kind: in words.
        account: the service account; empty for a person, whose address is nobody's business.
        from_variable: ``GOOGLE_APPLICATION_CREDENTIALS`` names them.
        expires_ns: until when the token that was just fetched is good, if it says so.
    """

    kind: str
    account: str
    from_variable: bool
    expires_ns: int | None


def try_credentials() -> CredentialFacts:
    """Find the default credentials and fetch a token with them; raises `SourceError`."""
    try:
        credentials: Any = google.auth.default(scopes=_SCOPES)[0]
        credentials.refresh(partial(Request(), timeout=_TIMEOUT_S))
    except GoogleAuthError as error:
        raise to_auth_error(error) from error
    except (TypeError, ValueError, KeyError) as error:  # what the library makes of an answer that is none
        raise SourceError(
            "Cloud Logging: something else than the token service answers in its place",
            hint="check the network and the proxy (HTTPS_PROXY)",
        ) from error
    account = str(getattr(credentials, "service_account_email", "") or "")
    return CredentialFacts(
        kind=_kind_of(credentials),
        account="" if account == "default" else account,
        from_variable=bool(os.environ.get(environment_vars.CREDENTIALS)),
        expires_ns=_expiry_of(credentials),
    )


def _kind_of(credentials: Any) -> str:
    module = type(credentials).__module__
    return next(
        (kind for name, kind in _KINDS.items() if module.startswith(name)), "credentials of another kind"
    )


def _expiry_of(credentials: Any) -> int | None:
    expiry = getattr(credentials, "expiry", None)
    return None if expiry is None else int(expiry.replace(tzinfo=UTC).timestamp()) * NS_PER_S
