"""Does what a probe or a hook asks, once; failures are told in the words of the kubelet."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from pipeline.local.control_plane.network import to_loopback
from pipeline.local.kubelet.spec import Exec, Handler, HttpGet, Sleep, TcpSocket
from pipeline.local.kubelet.times import format_duration
from pipeline.local.processes import kill_group, launch, output_pipe

_REFUSED = "connect: connection refused"
_MOST_OUTPUT_BYTES = 10 * 1024
_AGENT = "kube-probe/1.36"


@dataclass(frozen=True, slots=True)
class Target:
    """The container that is asked. `pod_ip` is what messages say; it is served on loopback."""

    pod_ip: str
    environment: Mapping[str, str] = field(default_factory=dict)


async def find_failure(handler: Handler, target: Target, timeout_s: float) -> str | None:
    """None if `handler` succeeds, else why it does not."""
    match handler:
        case HttpGet():
            return await _get(handler, target, timeout_s)
        case TcpSocket(port):
            return await _connect(port, target, timeout_s)
        case Exec(command):
            return await _execute(command, target, timeout_s)
        case Sleep(seconds):
            await asyncio.sleep(min(seconds, timeout_s))
            return None


async def _get(handler: HttpGet, target: Target, timeout_s: float) -> str | None:
    path = f"/{handler.path.removeprefix('/')}"
    shown = f'Get "{handler.scheme}://{target.pod_ip}:{handler.port}{path}"'
    url = f"{handler.scheme}://{to_loopback(target.pod_ip)}:{handler.port}{path}"
    headers = {"User-Agent": _AGENT, "Connection": "close"} | dict(handler.headers)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
            session.get(url, headers=headers, ssl=False, allow_redirects=False) as answer,
        ):
            ok = 200 <= answer.status < 400
            return None if ok else f"HTTP probe failed with statuscode: {answer.status}"
    except TimeoutError:
        return f"{shown}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    except aiohttp.ClientConnectorError:
        return f"{shown}: dial tcp {target.pod_ip}:{handler.port}: {_REFUSED}"
    except aiohttp.ClientError:
        return f"{shown}: EOF"


async def _connect(port: int, target: Target, timeout_s: float) -> str | None:
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(to_loopback(target.pod_ip), port)
    except TimeoutError:
        return f"dial tcp {target.pod_ip}:{port}: i/o timeout"
    except OSError:
        return f"dial tcp {target.pod_ip}:{port}: {_REFUSED}"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None


async def _execute(command: tuple[str, ...], target: Target, timeout_s: float) -> str | None:
    async with output_pipe() as (output, output_end):
        with output_end:
            process = await launch(command, target.environment, stdout=output_end, stderr=output_end)
        try:
            async with asyncio.timeout(timeout_s):
                exit_code = await process.wait()
                said = await output.read(_MOST_OUTPUT_BYTES) if exit_code else b""
        except TimeoutError:
            return f'command timed out: "{shlex.join(command)}" timed out after {format_duration(timeout_s)}'
        finally:
            kill_group(process)
            await process.wait()
    return said.decode("utf-8", "replace") if exit_code else None
