"""What another process does to a running stack."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.local.errors import StackError
from pipeline.local.readiness import POLL_S, answers_ok
from pipeline.local.state import PodState, read_state

_ANSWER_S = 10.0


def restart_service(folder: Path, service: str, deadline_s: float = 60.0) -> PodState:
    """End the service's process, as a node would, and wait until its supervisor has a new one ready.

    Raises:
        StackError: no stack runs in `folder`, it has no such service, or no new one became ready.
    """
    return asyncio.run(_restart(folder, service, deadline_s))


def change_switches(folder: Path, changes: Mapping[str, str]) -> dict[str, object]:
    """Change switches of the running stack's logging server, or none of them; gives all as they are then.

    Raises:
        StackError: no stack runs in `folder`, its server does not answer, or it refuses a change.
    """
    place = urlsplit(read_state(folder).switches)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER_S)
    try:
        connection.request("PATCH", place.path, json.dumps(changes))
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except (OSError, ValueError, HTTPException) as error:
        raise StackError(f"the logging server's switches can not be reached: {error}") from error
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise StackError(str(content.get("error", answer.reason)))
    return dict(content)


async def _restart(folder: Path, service: str, deadline_s: float) -> PodState:
    old = read_state(folder).pod_of(service)
    if old.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(old.pid, signal.SIGTERM)
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        new = read_state(folder).pod_of(service)
        if new.pid not in (None, old.pid) and await answers_ok(new.port, "/readyz"):
            return new
        await asyncio.sleep(POLL_S)
    raise StackError(f"{service} is not ready {deadline_s:g} s after its restart")
