"""Names of Services in the values of variables, made into addresses. Pure.

This stands in for cluster DNS: a process of this machine resolves no name of the cluster, so it is
given the address at once. A Service that is made or replaced later is seen by the container's next run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.local.control_plane.network import to_loopback

# a host followed by a port, where a URL or a list of brokers may have one
_HOST_PORT = re.compile(r"(?<![\w.@-])(?P<host>[a-z](?:[a-z0-9.-]*[a-z0-9])?)(?=:\d)")
_DOMAINS = ("svc", "svc.cluster.local", "svc.cluster.local.")

ClusterIps = Mapping[tuple[str, str], str]


def resolve_names(value: str, namespace: str, cluster_ips: ClusterIps) -> str:
    """`value` with each ``SERVICE:PORT`` by its address.

    `cluster_ips` is by namespace and name. A name without a namespace is looked up in `namespace`;
    ``SERVICE.NAMESPACE``, ``.svc`` and ``.svc.cluster.local`` are understood.
    """

    def resolve(match: re.Match[str]) -> str:
        name, _, rest = match["host"].partition(".")
        where, _, domain = rest.partition(".")
        if domain and domain not in _DOMAINS:
            return match["host"]
        address = cluster_ips.get((where or namespace, name))
        return to_loopback(address) if address else match["host"]

    return _HOST_PORT.sub(resolve, value)
