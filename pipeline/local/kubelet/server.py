"""The kubelet's API, as the API server asks it: logs of containers, ports of pods.

Source: Kubernetes 1.36, pkg/kubelet/server/server.go. The API server is the only caller; it has judged
who may ask.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from pipeline.local.control_plane.network import to_loopback
from pipeline.local.kubelet.containers import ContainerWorker
from pipeline.local.kubelet.log_files import read_log
from pipeline.local.kubelet.log_options import LogOptions, LogRefusedError, choose_run, read_options
from pipeline.local.kubelet.pods import PodWorker
from pipeline.local.kubelet.port_forward import PROTOCOL, forward_ports, read_ports

FindPod = Callable[[str, str], PodWorker | None]
"""The pod of a namespace and name."""

_SHUTDOWN_S = 0.5


class KubeletServer:
    """Serves what is asked about the pods that `find_pod` knows."""

    def __init__(self, find_pod: FindPod) -> None:
        self._find_pod = find_pod
        app = web.Application()
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._container_logs)
        app.router.add_get("/portForward/{namespace}/{pod}", self._port_forward)
        app.router.add_post("/portForward/{namespace}/{pod}", self._port_forward)
        app.router.add_route("*", "/{verb:exec|attach|run}/{_:.*}", _not_served)
        # a log that nobody follows any more is not read on
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S
        )

    async def start(self, host: str, port: int, tls: ssl.SSLContext) -> int:
        """Listen; the port. Raises `OSError`."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        found: int = self._runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        """End what runs, and listen no more."""
        await self._runner.cleanup()

    async def _container_logs(self, request: web.Request) -> web.StreamResponse:
        name, container = request.match_info["pod"], request.match_info["container"]
        pod = self._find_pod(request.match_info["namespace"], name)
        if pod is None:
            return web.Response(status=404, text=f'pod "{name}" does not exist')
        worker = pod.find_container(container)
        if worker is None:
            return web.Response(status=404, text=f'container "{container}" not found in pod "{name}"')
        try:
            options = read_options(request.query, time.time())
            run = choose_run(worker.seen, name, container, previous=options.previous)
        except LogRefusedError as error:
            return web.Response(status=400, text=str(error))
        except ValueError:
            return web.Response(status=400, text='{"message": "Unable to decode query."}')
        return await _send_log(request, worker, run, options)

    async def _port_forward(self, request: web.Request) -> web.StreamResponse:
        pod = self._find_pod(request.match_info["namespace"], request.match_info["pod"])
        if pod is None:
            return web.Response(status=404, text="pod does not exist")
        if PROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            here = to_loopback(pod.address)
            text = f"this kubelet forwards no port to kubectl: on this machine the pod is {here}"
            return web.Response(status=400, text=text)
        try:
            ports = read_ports(request.query.getall("port", []))
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return await forward_ports(request, pod.pod.uid, pod.address, ports)


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _not_served(request: web.Request) -> web.Response:
    """Words that kubectl shows: without them a container would seem to be missing."""
    text = f"this kubelet serves no {request.match_info['verb']}: a container is a process of this machine"
    return web.Response(status=501, text=text)


async def _send_log(
    request: web.Request, worker: ContainerWorker, run: str, options: LogOptions
) -> web.StreamResponse:
    """The log of one run, as long as the caller listens; a run of a kubelet before this one has none."""
    path = worker.logs.get(run)
    if path is None or not await asyncio.to_thread(path.exists):
        return web.Response(status=500, text=f"unable to retrieve container logs for {run}")
    answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    with suppress(ConnectionError):
        async for text in read_log(path, options, lambda: not worker.is_running(run)):
            if text:
                await answer.write(text)
        await answer.write_eof()
    return answer
