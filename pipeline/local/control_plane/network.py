"""The cluster's network: what addresses are called, and where this machine serves them.

Endpoints may not be loopback addresses, and nothing of the stack may leave the loopback interface. So a
pod or a Service has an address of 10.0.0.0/8, which is only a name, and is served at the same address with
127 as its first number. All clusters of a machine share these, so each has subnets of its own.
"""

from __future__ import annotations

import errno
import random
import socket

SERVICES, PODS = "10.96", "10.244"

_NAME_OCTET, _LOOPBACK_OCTET = "10.", "127."
_CLAIM_PORT = 10250
_SUBNETS = 256


def to_loopback(address: str) -> str:
    """Where `address` is served: ``127.a.b.c`` for ``10.a.b.c``; any other stays as it is."""
    if address.startswith(_NAME_OCTET):
        return _LOOPBACK_OCTET + address.removeprefix(_NAME_OCTET)
    return address


class Subnet:
    """A /24 of `SERVICES` or `PODS`, no two of a machine the same.

    It is claimed by a socket on its first address, so it is free when the process has ended, however
    that was.

    Attributes:
        prefix: its first three numbers, ``10.96.37``.
    """

    def __init__(self, network: str) -> None:
        self.prefix, self._claim = _claim(network)

    @property
    def cidr(self) -> str:
        """As Kubernetes writes it, ``10.96.37.0/24``."""
        return f"{self.prefix}.0/24"

    def close(self) -> None:
        """Give the subnet back."""
        self._claim.close()


def _claim(network: str) -> tuple[str, socket.socket]:
    for number in random.sample(range(_SUBNETS), _SUBNETS):
        prefix = f"{network}.{number}"
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((to_loopback(f"{prefix}.0"), _CLAIM_PORT))
        except OSError as error:
            claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return prefix, claim
    raise OSError(errno.EADDRNOTAVAIL, f"every subnet of {network}.0.0/16 is taken")
