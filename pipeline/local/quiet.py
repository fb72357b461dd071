"""Waiting until what a session has logged is complete and old enough to be judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from pipeline.local.errors import StackError

# diag claims no absence within the ingestion lag of 5 s
LAG_S = 8.0
_DEADLINE_S = 90.0
_POLL_S = 0.5


async def wait_until_quiet(
    endpoint: str, project: str, session_ids: Collection[str], lag_s: float = LAG_S
) -> None:
    """Return when the last entry of these sessions is older than `lag_s`.

    Raises:
        StackError: there is no entry at all, or new ones come without end.
    """
    end = time.monotonic() + _DEADLINE_S
    while time.monotonic() < end:
        last_ns = await asyncio.to_thread(_find_last_ns, endpoint, project, session_ids)
        missing_s = lag_s if last_ns is None else lag_s - (time.time_ns() - last_ns) / 1e9
        if missing_s < 0:
            return
        await asyncio.sleep(min(_POLL_S, missing_s))
    raise StackError(f"the sessions have not come to rest in the logs within {_DEADLINE_S:g} s")


def _find_last_ns(endpoint: str, project: str, session_ids: Collection[str]) -> int | None:
    """The time of the last entry, in nanoseconds."""
    import grpc  # noqa: PLC0415 - half a second, while the stack starts
    from google.cloud.logging_v2.services.logging_service_v2 import (  # noqa: PLC0415
        LoggingServiceV2Client,
    )
    from google.cloud.logging_v2.services.logging_service_v2.transports import (  # noqa: PLC0415
        LoggingServiceV2GrpcTransport,
    )

    any_of_them = " OR ".join(f'"{session_id}"' for session_id in session_ids)
    request: dict[str, Any] = {
        "resource_names": [f"projects/{project}"],
        "filter": f"jsonPayload.session_id=({any_of_them})",
        "order_by": "timestamp desc",
        "page_size": 1,
    }
    with grpc.insecure_channel(urlsplit(endpoint).netloc) as channel:
        client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
        last = next(iter(client.list_log_entries(request=request)), None)
    return None if last is None else int(last.timestamp.timestamp() * 1e9)
