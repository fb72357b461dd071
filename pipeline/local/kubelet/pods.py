"""The life of one pod: its containers are run, its status is reported, its end is carried out."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass, replace

from pipeline.local.control_plane.api import Object
from pipeline.local.cri import pod_folder
from pipeline.local.kubelet.containers import ContainerWorker
from pipeline.local.kubelet.events import WARNING
from pipeline.local.kubelet.host import Host, list_volumes
from pipeline.local.kubelet.observations import Terminated
from pipeline.local.kubelet.pod_object import PodObject
from pipeline.local.kubelet.spec import NEVER, ContainerSpec, read_pod
from pipeline.local.kubelet.status import PodSeen
from pipeline.local.kubelet.storage import find_excess, has_limits, measure

_RETRY_S = 0.5
_HOUSEKEEPING_S = 2.0  # the kubelet's is 10 s


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pod is ended.

    Attributes:
        grace_s: the time that its containers get.
        delete: the pod is deleted: its preStop hooks run before, its object goes after. Otherwise the
            node goes, and nobody is left whom a hook could keep away.
    """

    grace_s: float
    delete: bool = False


class PodWorker:
    """One pod. `run` is its whole life; `update` and `end` may be called at any time."""

    def __init__(self, manifest: Object, host: Host) -> None:
        self.pod = read_pod(manifest)
        self._host = host
        self._address = host.addresses.take()
        self._has_address = True
        self._started_at = time.time()
        self._object = PodObject(host.api, manifest.get("status", {}))
        self._changed = asyncio.Event()
        self._end: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._ending = False
        self._eviction = ""
        self._workers = {
            spec.name: self._build_worker(spec) for spec in (*self.pod.init_containers, *self.pod.containers)
        }

    def find_container(self, name: str) -> ContainerWorker | None:
        """The container or init container `name`."""
        return self._workers.get(name)

    @property
    def address(self) -> str:
        """Its address, of 10.244.0.0/16."""
        return self._address

    def update(self, manifest: Object) -> None:
        """Take a new version of the object in."""
        self.pod = replace(self.pod, manifest=manifest)
        metadata = manifest["metadata"]
        if metadata.get("deletionTimestamp"):
            self.end(Ending(float(metadata.get("deletionGracePeriodSeconds", self.pod.grace_s)), delete=True))

    def end(self, ending: Ending) -> None:
        """Begin the end. One that has begun goes on, but for one without grace: that is at once."""
        if not self._end.done():
            self._end.set_result(ending)
        elif ending.grace_s == 0:
            for worker in self._workers.values():
                worker.kill()

    async def run(self) -> None:
        """Live until `end`, then end as that says: nothing of the pod is left on this machine."""
        for name in list_volumes(self.pod):
            self._host.volume(self.pod, name).mkdir(parents=True, exist_ok=True)
        self._changed.set()
        reporting = asyncio.create_task(self._report())
        living = asyncio.create_task(self._live())
        guarding = asyncio.create_task(self._guard_storage(living))
        try:
            await asyncio.wait((self._end, living), return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()  # a fault of ours is not to be hidden until the end
                self._give_address_back()  # its object may stay for long, to say how it ended
            await self._carry_out(await self._end, living, reporting)
        finally:
            for task in (living, reporting, guarding):
                task.cancel()
            for worker in self._workers.values():
                worker.kill()  # after a fault of ours: who cancels its life ends no process
            self._give_address_back()
            self._host.events.forget(self.pod.uid)
            shutil.rmtree(self._host.volumes / self.pod.uid, ignore_errors=True)

    def _give_address_back(self) -> None:
        """Once only: another pod may have it by now."""
        if self._has_address:
            self._has_address = False
            self._host.addresses.give_back(self._address)

    def _build_worker(self, spec: ContainerSpec) -> ContainerWorker:
        is_init = spec in self.pod.init_containers
        return ContainerWorker(
            self.pod,
            spec,
            self._host,
            self._address,
            restarts=self._restarts_init if is_init else self.pod.should_restart,
            on_change=self._changed.set,
        )

    def _restarts_init(self, exit_code: int) -> bool:
        """An init container is run until it has ended well."""
        return exit_code != 0 and self.pod.restart_policy != NEVER

    async def _live(self) -> None:
        """The init containers one after the other, then the containers all at once."""
        if self._end.done():
            return  # taken up only to be deleted
        for spec in self.pod.init_containers:
            worker = self._workers[spec.name]
            await worker.live()
            if not isinstance(worker.seen.state, Terminated) or worker.seen.state.exit_code != 0:
                return
        async with asyncio.TaskGroup() as group:
            for spec in self.pod.containers:
                group.create_task(self._workers[spec.name].live())

    async def _guard_storage(self, living: asyncio.Task[None]) -> None:
        """Evict the pod when it uses too much of the disk."""
        while has_limits(self.pod) and not self._eviction:
            await asyncio.sleep(_HOUSEKEEPING_S)
            volumes = {name: self._host.volume(self.pod, name) for name in list_volumes(self.pod)}
            sizes = {name: measure(folder) for name, folder in volumes.items()}
            logs = measure(self._host.logs / pod_folder(self.pod.namespace, self.pod.name, self.pod.uid))
            excess = find_excess(self.pod, sizes, logs)
            if excess:
                await self._evict(excess, living)

    async def _evict(self, why: str, living: asyncio.Task[None]) -> None:
        """Put an end to the pod at once; its object stays, to say why."""
        self._host.events.tell(self.pod, "Evicted", why, type_=WARNING)
        await self._stop_all(0, with_hook=False)
        await asyncio.wait((living,))
        self._ending, self._eviction = True, why
        self._changed.set()

    async def _carry_out(
        self, ending: Ending, living: asyncio.Task[None], reporting: asyncio.Task[None]
    ) -> None:
        await self._stop_all(ending.grace_s, with_hook=ending.delete)
        await living
        if not ending.delete:
            return
        reporting.cancel()
        self._ending = True
        await self._object.report(self.pod, self._look())
        await self._object.delete(self.pod)

    async def _stop_all(self, grace_s: float, *, with_hook: bool) -> None:
        workers = self._workers.values()
        await asyncio.gather(*(worker.stop(grace_s, with_hook=with_hook) for worker in workers))

    async def _report(self) -> None:
        """Keep the status up to date."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not await self._object.report(self.pod, self._look()):
                await asyncio.sleep(_RETRY_S)
                self._changed.set()

    def _look(self) -> PodSeen:
        return PodSeen(
            containers={name: worker.seen for name, worker in self._workers.items()},
            host_ip=self._host.ip,
            pod_ip=self._address,
            start_time=self._started_at,
            is_ending=self._ending,
            eviction=self._eviction,
        )
