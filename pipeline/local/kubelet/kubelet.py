"""The kubelet: one worker for each pod that is bound to its node, and what they share."""

from __future__ import annotations

import asyncio
import ssl
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.local.control_plane.api import Api, Object
from pipeline.local.control_plane.informer import Informer
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.endpoints import build_routes, list_cluster_ips
from pipeline.local.kubelet.events import WARNING, Events
from pipeline.local.kubelet.host import Host
from pipeline.local.kubelet.images import ImageStore
from pipeline.local.kubelet.node import Node
from pipeline.local.kubelet.pods import Ending, PodWorker
from pipeline.local.kubelet.server import KubeletServer
from pipeline.local.kubelet.service_proxy import ServiceProxy
from pipeline.local.kubelet.settings import Settings
from pipeline.local.kubelet.spec import PodSpec
from pipeline.local.processes import base_environment
from pipeline.local.readiness import LOOPBACK


class Kubelet:
    """The pods of one node. `addresses` stays the caller's, who closes it."""

    def __init__(self, settings: Settings, api: Api, addresses: PodAddresses) -> None:
        self._settings = settings
        self._api = api
        self._pods: dict[str, PodWorker] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._proxy = ServiceProxy()
        self._server = KubeletServer(self.find_pod)
        self._services = Informer(api, "/api/v1/services", on_change=self._route, on_gone=self._route)
        self._slices = Informer(
            api, "/apis/discovery.k8s.io/v1/endpointslices", on_change=self._route, on_gone=self._route
        )
        self._bound = Informer(
            api,
            "/api/v1/pods",
            query={"fieldSelector": f"spec.nodeName={settings.node}"},
            on_change=self._take_up,
            on_gone=self._let_go,
        )
        temporary = settings.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        self._host = Host(
            name=settings.node,
            ip=LOOPBACK,
            api=api,
            events=Events(api, settings.node),
            images=ImageStore(settings.images),
            addresses=addresses,
            restarts=settings.restarts,
            logs=settings.logs,
            volumes=settings.folder / "volumes",
            base=base_environment(temporary),
            cluster_ips=lambda: list_cluster_ips(self._services.objects.values()),
        )

    def find_pod(self, namespace: str, name: str) -> PodWorker | None:
        """The pod of this name."""
        for worker in self._pods.values():
            if (worker.pod.namespace, worker.pod.name) == (namespace, name):
                return worker
        return None

    async def run(self) -> None:
        """Be the node's kubelet until cancelled; then no process of its pods is left.

        Raises:
            StackError: the API server does not let it be one.
            OSError: it cannot listen.
        """
        async with self._serve() as port, asyncio.TaskGroup() as group:
            node = Node(self._api, self._settings.node, port)
            await node.register()
            group.create_task(node.heartbeat())
            group.create_task(self._host.events.run())
            group.create_task(self._proxy.run())
            group.create_task(self._services.run())
            group.create_task(self._slices.run())
            await self._services.synced.wait()  # no pod starts with names that nobody could resolve
            group.create_task(self._bound.run())

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[int]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._settings.certificate, self._settings.key)
        port = await self._server.start(LOOPBACK, self._settings.port, tls)
        try:
            yield port
        finally:
            await self._end_pods()
            await self._server.stop()

    async def _end_pods(self) -> None:
        """End all pods' processes; their objects stay."""
        for worker in self._pods.values():
            worker.end(Ending(self._settings.restarts.grace_s))
        await asyncio.gather(*self._lives, return_exceptions=True)

    def _take_up(self, manifest: Object) -> None:
        """A pod was bound to the node, or has changed."""
        uid = manifest["metadata"]["uid"]
        if uid not in self._pods:
            if _is_over(manifest):
                return
            try:
                self._pods[uid] = PodWorker(manifest, self._host)
            except ValueError as error:
                self._refuse(manifest["metadata"], str(error))
                return
            life = asyncio.create_task(self._live(uid))
            self._lives.add(life)
            life.add_done_callback(self._lives.discard)
        self._pods[uid].update(manifest)

    def _refuse(self, metadata: Object, why: str) -> None:
        """Say in an event why a pod stays as it is: whoever waits for it looks there."""
        pod = PodSpec(metadata["namespace"], metadata["name"], metadata["uid"])
        message = f"Error: the kubelet of this stack does not run the pod: {why}"
        self._host.events.tell(pod, "Failed", message, type_=WARNING)
        sys.stderr.write(f"pod {pod.name} is not run: {why}\n")

    def _let_go(self, manifest: Object) -> None:
        """A pod's object is gone: nobody waits for its processes any more."""
        worker = self._pods.get(manifest["metadata"]["uid"])
        if worker:
            worker.end(Ending(grace_s=0))

    async def _live(self, uid: str) -> None:
        try:
            await self._pods[uid].run()
        except Exception:  # noqa: BLE001 - one pod's fault is not the node's
            traceback.print_exc()
        finally:
            del self._pods[uid]

    def _route(self, _changed: Object) -> None:
        self._proxy.route(build_routes(self._services.objects.values(), self._slices.objects.values()))


def _is_over(manifest: Object) -> bool:
    """Whether a kubelet before this one has brought the pod to its end."""
    phase = manifest.get("status", {}).get("phase")
    return phase in {"Succeeded", "Failed"} and not manifest["metadata"].get("deletionTimestamp")
