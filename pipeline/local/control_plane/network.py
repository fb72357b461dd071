"""The addresses of a control plane's Services: a subnet of 10.96.0.0/16, no two of a machine the same.

An address 10.96.a.b is only a name: it is served at 127.96.a.b, which all clusters of a machine share.
"""

from __future__ import annotations

import errno
import random
import socket

_CLAIM_PORT = 10250
_SUBNETS = 256


class ServiceNetwork:
    """One subnet, claimed by a socket on its first address: it is free when the process has ended.

    Attributes:
        cidr: as the API server takes it, a /24.
    """

    def __init__(self) -> None:
        for number in random.sample(range(_SUBNETS), _SUBNETS):
            self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._claim.bind((f"127.96.{number}.0", _CLAIM_PORT))
            except OSError:
                self._claim.close()
            else:
                self.cidr = f"10.96.{number}.0/24"
                return
        raise OSError(errno.EADDRNOTAVAIL, "every subnet of 10.96.0.0/16 is taken")

    def close(self) -> None:
        """Give the subnet back."""
        self._claim.close()
