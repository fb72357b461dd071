"""Addresses of pods and services: what Kubernetes calls them, and where this machine serves them.

Endpoints may not be loopback addresses, and nothing of the stack may leave the loopback interface. So a
pod or service has an address of 10.0.0.0/8, which is only a name, and is served at the same address with
127 as its first number. This stands in for the cluster's network.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterator

_NAME_OCTET, _LOOPBACK_OCTET = "10.", "127."
_CLAIM_PORT = 10250
_SUBNETS = 250


def to_loopback(address: str) -> str:
    """Where `address` is served: ``127.a.b.c`` for ``10.a.b.c``; any other stays as it is."""
    if address.startswith(_NAME_OCTET):
        return _LOOPBACK_OCTET + address.removeprefix(_NAME_OCTET)
    return address


class PodAddresses:
    """The addresses of one node's pods: a subnet of 10.244.0.0/16, no two nodes of a machine the same.

    The subnet is claimed by a socket bound to its first address, so it is free again when the process
    has ended, however that was.
    """

    def __init__(self) -> None:
        self._prefix, self._claim = _claim_subnet()
        self._taken: set[int] = set()
        self._next = _walk()

    @property
    def cidr(self) -> str:
        """The subnet, as ``spec.podCIDR`` of the node has it."""
        return f"{self._prefix}.0/24"

    def take(self) -> str:
        """An address that no pod has; one that was given back is the last to be taken again."""
        host = next(host for host in self._next if host not in self._taken)
        self._taken.add(host)
        return f"{self._prefix}.{host}"

    def give_back(self, address: str) -> None:
        """Let `address` be taken again."""
        self._taken.discard(int(address.rsplit(".", 1)[1]))

    def close(self) -> None:
        """Give the subnet back."""
        self._claim.close()


def _walk() -> Iterator[int]:
    """The hosts of a /24 from 2 to 254, over and over."""
    while True:
        yield from range(2, 255)


def _claim_subnet() -> tuple[str, socket.socket]:
    for number in random.sample(range(_SUBNETS), _SUBNETS):
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((to_loopback(f"10.244.{number}.1"), _CLAIM_PORT))
        except OSError as error:
            claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return f"10.244.{number}", claim
    raise OSError(errno.EADDRNOTAVAIL, "every subnet of 10.244.0.0/16 is taken")
