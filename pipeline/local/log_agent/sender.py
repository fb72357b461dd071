"""Sends entries with the official client of Cloud Logging, over plaintext to the local server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import WriteLogEntriesRequest
from google.protobuf.json_format import ParseDict

_REQUEST_TIMEOUT_S = 5.0
_CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    # the default waits up to two minutes between two attempts to reach a server that was away
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class NotSentError(Exception):
    """The entries were not taken and should be sent again."""


class Sender:
    """One connection to the Logging API."""

    def __init__(self, endpoint: str) -> None:
        self._channel = grpc.insecure_channel(urlsplit(endpoint).netloc, options=_CHANNEL_OPTIONS)
        self._client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=self._channel))

    def send(self, entries: Iterable[Mapping[str, Any]]) -> str | None:
        """Write `entries` (REST form) in one request.

        Returns what the server refused for good; that would be refused again, so it is given up.

        Raises:
            NotSentError: for any other reason; nothing is known to have been written.
        """
        request = WriteLogEntriesRequest.pb()(partial_success=True)
        for entry in entries:
            ParseDict(entry, request.entries.add())
        try:
            # its own retries would keep a stopping agent waiting
            self._client.write_log_entries(
                WriteLogEntriesRequest.wrap(request), retry=None, timeout=_REQUEST_TIMEOUT_S
            )
        except InvalidArgument as error:
            return str(error)
        except GoogleAPICallError as error:
            raise NotSentError(str(error)) from error
        return None

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()
