"""Serves the addresses of Services: each connection goes to one of the endpoints that are ready.

This stands in for kube-proxy. A connection that is open stays with its endpoint until one of the two
closes it, even when the endpoint gets no new ones any more.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from pipeline.local.kubelet.endpoints import Address, Route
from pipeline.local.streams import close, join

_RETRY_S = 1.0


class ServiceProxy:
    """Listens at the addresses of the routes that it was given last."""

    def __init__(self) -> None:
        self._routes: Mapping[Address, Route] = {}
        self._changed = asyncio.Event()
        self._ports: dict[Address, _ServicePort] = {}
        self._refused: set[Address] = set()

    def route(self, routes: Mapping[Address, Route]) -> None:
        """Serve `routes` from now on, and no others."""
        self._routes = routes
        self._changed.set()

    async def run(self) -> None:
        """Serve until cancelled. An address that cannot be had is tried again."""
        try:
            while True:
                with suppress(TimeoutError):
                    missing = self._routes.keys() - self._ports.keys()
                    await asyncio.wait_for(self._changed.wait(), _RETRY_S if missing else None)
                self._changed.clear()
                await self._follow()
        finally:
            for port in self._ports.values():
                port.close()

    async def _follow(self) -> None:
        for address in self._ports.keys() - self._routes.keys():
            self._ports.pop(address).close()
        for address, route in self._routes.items():
            if address in self._ports:
                self._ports[address].balancer.follow(route)
                continue
            try:
                self._ports[address] = await _ServicePort.open(address, route)
            except OSError as error:
                self._tell_once(address, error)

    def _tell_once(self, address: Address, error: OSError) -> None:
        if address not in self._refused:
            self._refused.add(address)
            sys.stderr.write(f"no Service at {address[0]}:{address[1]}: {error.strerror}\n")


class Balancer:
    """Chooses the backend of each new connection."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._last: dict[str, tuple[Address, float]] = {}

    def follow(self, route: Route) -> None:
        """Choose by `route` from now on; a client whose backend is gone gets another."""
        self._route = route

    def choose(self, client: str, now: float) -> Address:
        """The backend for a connection of `client` at `now` (seconds)."""
        affinity_s = self._route.affinity_s
        if affinity_s is None:
            return random.choice(self._route.backends)
        backend, since = self._last.get(client, (None, 0.0))
        if backend is None or backend not in self._route.backends or now - since > affinity_s:
            backend = random.choice(self._route.backends)
        self._last[client] = backend, now
        return backend


class _ServicePort:
    """One listening socket."""

    def __init__(self, balancer: Balancer, server: asyncio.Server) -> None:
        self.balancer = balancer
        self._server = server

    @classmethod
    async def open(cls, address: Address, route: Route) -> _ServicePort:
        balancer = Balancer(route)

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            client: str = writer.get_extra_info("peername")[0]
            try:
                backend = await asyncio.open_connection(*balancer.choose(client, time.monotonic()))
            except OSError:
                await close(writer)
            else:
                await join((reader, writer), backend)

        return cls(balancer, await asyncio.start_server(forward, *address))

    def close(self) -> None:
        self._server.close()
