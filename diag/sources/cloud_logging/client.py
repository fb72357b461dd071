"""The connection to Cloud Logging and what its errors mean to a person."""

from __future__ import annotations

import ipaddress
import os
import warnings
from collections.abc import Sequence
from urllib.parse import urlsplit

import grpc
from google.api_core import exceptions
from google.auth import environment_vars
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

from diag.errors import NotAllowedError, SettingsError, SourceError
from diag.model.log_resources import LogResource
from diag.model.settings import LoggingSettings
from diag.sources.cloud_logging.messages import PagesTransport

# A login without a quota project makes the library write to stderr, though entries can be read with it.
warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.auth")

# The generated transport lifts gRPC's limit of 4 MiB a message; a channel of our own must, too: a
# page of 1000 entries is larger, and the failure looks like an exhausted quota.
_CHANNEL_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))

TIMEOUT_S = 60.0
"""For one page: the service itself gives up searching earlier, and answers with a token to go on."""

_REFUSES = "Cloud Logging refuses the query"
_CHECK = "check --project, --cluster and --namespace"
_PLUGIN_FAILED = "metadata from plugin failed"
"""What gRPC says, as of a service that is away, when a token could not be fetched."""
_NO_MESSAGE = "deserializing response"
"""What it says of bytes that are none of the service's."""


def connect(settings: LoggingSettings) -> LoggingServiceV2Client:
    """A client of Google's service, or of the endpoint in the settings; raises `DiagError`."""
    try:
        if is_plaintext(settings.endpoint):
            channel = grpc.insecure_channel(_loopback_target(settings.endpoint), options=_CHANNEL_OPTIONS)
            return LoggingServiceV2Client(transport=PagesTransport(channel=channel))
        options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
        return LoggingServiceV2Client(transport=PagesTransport, client_options=options)
    except GoogleAuthError as error:
        raise to_auth_error(error) from error


def check_endpoint(endpoint: str) -> None:
    """Refuse what `connect` would; raises `SettingsError`."""
    if is_plaintext(endpoint):
        _loopback_target(endpoint)


def is_plaintext(endpoint: str) -> bool:
    """Whether there is neither TLS nor a credential on the way to it."""
    return endpoint.startswith("http://")


def _loopback_target(endpoint: str) -> str:
    """``host:port`` of a plaintext endpoint, which must be on this machine: logs are confidential."""
    parts = urlsplit(endpoint)
    try:
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        if parts.port is not None and ipaddress.ip_address(host).is_loopback:
            return f"{host}:{parts.port}"
    except ValueError:
        pass
    raise SettingsError(
        f"logging.endpoint {endpoint!r}: without TLS only an address of this machine is allowed",
        hint="use host:port for a TLS endpoint, http://127.0.0.1:PORT for a local one",
    )


def to_auth_error(error: Exception) -> SourceError:
    """There are no credentials, they do not work any more, or no token can be fetched with them."""
    said = _first_line(error)
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return SourceError(
            f"Cloud Logging: the token service does not answer ({said})",
            hint="check the network and the proxy (HTTPS_PROXY)",
        )
    hint = "gcloud auth application-default login"
    if os.environ.get(environment_vars.CREDENTIALS):  # it wins over every login
        hint = f"renew the file that {environment_vars.CREDENTIALS} names; or unset it and {hint}"
    return SourceError(f"Cloud Logging: no usable credentials ({said})", hint=hint)


def explain(
    error: Exception, settings: LoggingSettings, resources: Sequence[LogResource] = ()
) -> SourceError:
    """The library's error in one line: what, where, and what to do.

    `resources` are those that the request named; all of the settings' if none are given.
    """
    where = settings.endpoint or "logging.googleapis.com"
    said = _first_line(error)
    match error:
        case GoogleAuthError():
            return to_auth_error(error)
        case exceptions.ServiceUnavailable() if _PLUGIN_FAILED in said:
            return to_auth_error(error)
        case exceptions.Forbidden() | exceptions.NotFound():
            return _to_not_allowed(error, resources or settings.resources)
        case exceptions.Unauthenticated():
            return SourceError(
                f"Cloud Logging: the credentials are refused ({said})",
                hint="gcloud auth application-default login",
            )
        case exceptions.TooManyRequests():
            return SourceError(
                f"Cloud Logging: the read quota is spent ({said})", hint="wait a minute, or lower --quota"
            )
        case exceptions.InvalidArgument():
            return SourceError(f"{_REFUSES} ({said})", hint=_CHECK)
        case exceptions.DeadlineExceeded():
            return SourceError(
                f"Cloud Logging at {where} did not find the entries in {TIMEOUT_S:.0f} s ({said})",
                hint="narrow the window with --since and --until",
            )
        case _ if _NO_MESSAGE in said:
            return SourceError(
                f"Cloud Logging at {where} gives answers that can not be read ({said})",
                hint="check --logging-endpoint, and what stands on the way",
            )
        case _:
            return SourceError(
                f"Cloud Logging at {where} does not answer ({said})",
                hint="check --logging-endpoint and the network",
            )


def _to_not_allowed(error: exceptions.GoogleAPICallError, asked: Sequence[LogResource]) -> NotAllowedError:
    said = _first_line(error)
    if isinstance(error, exceptions.NotFound):
        return NotAllowedError(f"{_REFUSES} ({said})", hint=_CHECK)
    if error.reason == "SERVICE_DISABLED":
        return NotAllowedError(
            f"Cloud Logging: its API is switched off in {_name(asked)} ({said})",
            hint=f"gcloud services enable logging.googleapis.com --project {asked[0].parent}",
        )
    return NotAllowedError(
        f"Cloud Logging: reading {_name(asked)} is not allowed ({said})", hint=_tell_role(asked)
    )


def _name(resources: Sequence[LogResource]) -> str:
    kind = "log view" if all(one.view for one in resources) else "project"
    return f"{kind}{'s' if len(resources) > 1 else ''} {', '.join(repr(one.label) for one in resources)}"


def _tell_role(resources: Sequence[LogResource]) -> str:
    if all(one.view for one in resources):
        return "the account needs roles/logging.viewAccessor on the view"
    return f"the account needs roles/logging.viewer on {'each' if len(resources) > 1 else 'the'} project"


def _first_line(error: Exception) -> str:
    # Google's own errors of credentials hold a text and the whole answer behind it
    first = error.args[0] if isinstance(error, GoogleAuthError) and error.args else ""
    message = getattr(error, "message", "") or first or str(error)
    return " ".join(str(message).split())[:200]
