"""A wire that can be cut, or go silent: between a client and a server, in the middle of an answer."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Passes bytes on in both directions.

    Attributes:
        cuts: how many connections are still to be cut.
        after: bytes that such a connection gets from the server before it is.
        silent: what would be cut is kept open and gets nothing more, until `mend`.
        hit: something was cut, or got nothing more.
    """

    address: str
    cuts: int = 0
    after: int = 0
    silent: bool = False
    hit: threading.Event = field(default_factory=threading.Event)
    _mended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def harm(self, cuts: int, after: int, *, silent: bool = False) -> None:
        """From now on."""
        self._mended.clear()
        self.hit.clear()
        self.cuts, self.after, self.silent = cuts, after, silent

    def mend(self) -> None:
        """Pass everything on again; what was silent ends."""
        self.cuts = 0
        self._mended.set()

    def may_pass(self, passed: int) -> bool:
        """Whether a connection that has got so many bytes gets more."""
        with self._lock:
            if not self.cuts or passed < self.after:
                return True
            self.cuts -= 1
        self.hit.set()
        if self.silent:
            self._mended.wait()
        return False


@contextmanager
def open_relay(target: str) -> Iterator[Relay]:
    """A relay to `target`, ``host:port``; its address is another port of this machine."""
    host, _, port = target.rpartition(":")
    ends: set[socket.socket] = set()

    class Handler(socketserver.BaseRequestHandler):
        """One connection, from its beginning to its end."""

        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as far:
                ends.update((self.request, far))
                there = threading.Thread(target=_pass, args=(self.request, far, None))
                there.start()
                _pass(far, self.request, relay)
                there.join()
                ends.difference_update((self.request, far))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        relay = Relay(f"127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield relay
        relay.mend()
        server.shutdown()
        for end in tuple(ends):
            _shut(end)


def _pass(source: socket.socket, sink: socket.socket, relay: Relay | None) -> None:
    passed = 0
    with suppress(OSError):
        while (data := source.recv(65_536)) and (relay is None or relay.may_pass(passed)):
            passed += len(data)
            sink.sendall(data)
    _shut(source)
    _shut(sink)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
