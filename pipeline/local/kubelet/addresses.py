"""The addresses of one node's pods."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.local.control_plane.network import PODS, Subnet


class PodAddresses:
    """Addresses of one subnet, each given to one pod at a time."""

    def __init__(self) -> None:
        self._subnet = Subnet(PODS)
        self._taken: set[int] = set()
        self._next = _walk()

    def take(self) -> str:
        """An address that no pod has; one that was given back is the last to be taken again."""
        host = next(host for host in self._next if host not in self._taken)
        self._taken.add(host)
        return f"{self._subnet.prefix}.{host}"

    def give_back(self, address: str) -> None:
        """Let `address` be taken again."""
        self._taken.discard(int(address.rsplit(".", 1)[1]))

    def close(self) -> None:
        """Give the subnet back."""
        self._subnet.close()


def _walk() -> Iterator[int]:
    """The hosts of a /24 from 2 to 254, over and over; a node has no more than 110 pods."""
    while True:
        yield from range(2, 255)
