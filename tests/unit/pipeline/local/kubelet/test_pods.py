"""The life of a pod on its node: what it takes, and gives back."""

from __future__ import annotations

import asyncio
from contextlib import closing
from types import SimpleNamespace

from pipeline.local.errors import StackError
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.pods import Ending, PodWorker

MANIFEST = {
    "metadata": {"namespace": "voice-agent", "name": "p", "uid": "u"},
    "spec": {"restartPolicy": "Never", "containers": []},
}


class NoApi:
    """An API server that is away."""

    async def request(self, *_given: object) -> None:
        raise StackError("away")


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
        host = SimpleNamespace(
            api=NoApi(),
            ip="127.0.0.1",
            events=SimpleNamespace(forget=lambda _uid: None),
            addresses=SimpleNamespace(take=addresses.take, give_back=give_back),
            volumes=tmp_path,
        )
        worker = PodWorker(MANIFEST, host)
        life = asyncio.create_task(worker.run())
        async with asyncio.timeout(10):
            await freed.wait()
        assert not life.done()

        worker.end(Ending(0))
        await life

    assert given_back == [worker.address]
