"""The connection to Cloud Logging and what its errors mean to a person."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport

from diag.errors import SettingsError, SourceError
from diag.model.settings import LoggingSettings

# The generated transport lifts gRPC's limit of 4 MiB a message; a channel of our own must, too: a
# page of 1000 entries is larger, and the failure looks like an exhausted quota.
_CHANNEL_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))

TIMEOUT_S = 60.0
"""For one page: the service itself gives up searching earlier, and answers with a token to go on."""

# What gRPC says, as UNAVAILABLE, where the account's token could not be had.
_NO_TOKEN = "metadata from plugin failed"  # noqa: S105 - words of gRPC


def connect(settings: LoggingSettings) -> LoggingServiceV2Client:
    """A client of Google's service, or of the endpoint in the settings; raises `DiagError`."""
    try:
        if settings.endpoint.startswith("http://"):
            channel = grpc.insecure_channel(_loopback_target(settings.endpoint), options=_CHANNEL_OPTIONS)
            return LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
        options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
        return LoggingServiceV2Client(client_options=options)
    except GoogleAuthError as error:
        raise _to_auth_error(error) from error


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


def _to_auth_error(error: GoogleAuthError) -> SourceError:
    return SourceError(
        f"Cloud Logging: no usable credentials ({_first_line(error)})",
        hint="gcloud auth application-default login",
    )


def explain(error: Exception, settings: LoggingSettings) -> SourceError:
    """The library's error in one line: what, where, and what to do."""
    where = settings.endpoint or "logging.googleapis.com"
    said = _first_line(error)
    match error:
        case GoogleAuthError():
            return _to_auth_error(error)
        case exceptions.Forbidden():
            return SourceError(
                f"Cloud Logging: reading project {settings.project!r} is not allowed ({said})",
                hint="the account needs roles/logging.viewer on the project",
            )
        case exceptions.Unauthenticated():
            return SourceError(
                f"Cloud Logging: the credentials are refused ({said})",
                hint="gcloud auth application-default login",
            )
        case exceptions.TooManyRequests():
            return SourceError(
                f"Cloud Logging: the read quota is spent ({said})", hint="wait a minute, or lower --quota"
            )
        case exceptions.InvalidArgument() | exceptions.NotFound():
            return SourceError(
                f"Cloud Logging refuses the query ({said})", hint="check --project, --cluster and --namespace"
            )
        case exceptions.DeadlineExceeded():
            return SourceError(
                f"Cloud Logging at {where} did not find the entries in {TIMEOUT_S:.0f} s ({said})",
                hint="narrow the window with --since and --until",
            )
        case exceptions.ServiceUnavailable() if _NO_TOKEN in said:
            return SourceError(
                f"Cloud Logging: no token was given for the credentials ({said})",
                hint="gcloud auth application-default login",
            )
        case _:
            return SourceError(
                f"Cloud Logging at {where} does not answer ({said})",
                hint="check --logging-endpoint and the network",
            )


def _first_line(error: Exception) -> str:
    message = getattr(error, "message", "") or str(error)
    return " ".join(str(message).split())[:200]
