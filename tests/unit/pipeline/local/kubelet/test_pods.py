"""The life of a pod on its node: what it takes, and gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.local.errors import StackError
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.observations import ContainerSeen, Waiting
from pipeline.local.kubelet.pods import Ending, PodWorker

MANIFEST = {
    "metadata": {"namespace": "voice-agent", "name": "p", "uid": "u"},
    "spec": {"restartPolicy": "Never", "containers": []},
}


class NoApi:
    """An API server that is away."""

    async def request(self, *_given: object) -> None:
        raise StackError("away")


def _host(volumes: Path, take: Callable[[], str], give_back: Callable[[str], None]) -> SimpleNamespace:
    return SimpleNamespace(
        api=NoApi(),
        ip="127.0.0.1",
        events=SimpleNamespace(tell=lambda *_: None, forget=lambda _uid: None),
        addresses=SimpleNamespace(take=take, give_back=give_back),
        volumes=volumes,
    )


class FakeContainer:
    """A container that runs, or that cannot be started."""

    def __init__(self, *, fails: bool) -> None:
        self.seen = ContainerSeen(Waiting("ContainerCreating"))
        self.killed = False
        self._fails = fails

    async def live(self) -> None:
        if self._fails:
            raise OSError("too many open files")
        await asyncio.Future()

    def kill(self) -> None:
        self.killed = True


async def test_a_pod_that_the_kubelet_cannot_lead_leaves_no_process(tmp_path) -> None:
    """One container cannot be started: the process of the other one would go on, known to nobody."""
    spec = MANIFEST["spec"] | {"containers": [{"name": name, "image": "x:1"} for name in ("good", "bad")]}
    containers = {name: FakeContainer(fails=name == "bad") for name in ("good", "bad")}
    with closing(PodAddresses()) as addresses:
        worker = PodWorker(MANIFEST | {"spec": spec}, _host(tmp_path, addresses.take, addresses.give_back))
        worker._workers = containers
        with pytest.raises(ExceptionGroup):
            await worker.run()

    assert containers["good"].killed


async def test_a_pod_that_is_over_keeps_no_address(tmp_path) -> None:
    """Its object stays: a deployment whose pods are evicted again and again would use all addresses up.

    It gives back once: when the object goes at last, another pod may have that address.
    """
    given_back: list[str] = []
    freed = asyncio.Event()

    def give_back(address: str) -> None:
        given_back.append(address)
        freed.set()

    with closing(PodAddresses()) as addresses:
        worker = PodWorker(MANIFEST, _host(tmp_path, addresses.take, give_back))
        life = asyncio.create_task(worker.run())
        async with asyncio.timeout(60):
            await freed.wait()
        assert not life.done()

        worker.end(Ending(0))
        await life

    assert given_back == [worker.address]
