"""One session as it is told: a cursor of true time, and lines said by its pods."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.accuracy.cluster import Cluster, Socket
from tests.accuracy.identifiers import mint_connection
from tests.accuracy.truth import LOST_TEXTS, NS_PER_MS, Line, Pod, Record, Session

AUDIO_IN_PARTITIONS = 3


@dataclass(slots=True)
class Story:
    """What a session's telling needs.

    Attributes:
        pods: service -> the replica that serves this session.
        now: true time; lines are said at it.
        trace: the trace of the client's requests, empty if nothing propagates one.
        media, listen, socket, key: the session's ID as each hop has it; empty where it has none.
    """

    session: Session
    cluster: Cluster
    rng: random.Random
    pods: dict[str, Pod]
    now: int
    trace: str = ""
    media: str = ""
    listen: str = ""
    socket: str = ""
    key: str | None = ""
    open_socket: Socket | None = None
    later: list[tuple[str, int, Pod, str]] = field(default_factory=list)

    @property
    def fixed(self) -> bool:
        """Whether the services log as GKE expects."""
        return self.session.era == "fixed"

    def wait(self, least_ms: float, most_ms: float) -> None:
        """Time passes."""
        self.now += round(self.rng.uniform(least_ms, most_ms) * NS_PER_MS)

    def own(self, *ids: str | None) -> None:
        """These are IDs of this session."""
        self.session.ids.update(text for text in ids if text and text not in LOST_TEXTS)

    def say(
        self,
        service: str | Pod,
        message: str,
        /,
        *,
        level: str = "info",
        session: str | None = None,
        connection: str = "",
        turn: str = "",
        traced: bool = False,
        text: bool = False,
        **fields: Any,
    ) -> Line:
        """A line of this session, now; its IDs belong together."""
        pod = self.pods[service] if isinstance(service, str) else service
        ids = {"session": session, "connection": connection or None, "turn": turn or None}
        trace = self.trace if traced or self.fixed else ""
        written = {role: found for role, found in ids.items() if found is not None}
        linked = [found for found in (session, connection, trace) if found and found not in LOST_TEXTS]
        line = Line(
            self.now, pod, message, level, written, fields, trace, self.session.number, tuple(linked), text
        )
        self.session.lines.append(line)
        self.own(*linked)
        self.now += self.rng.randint(20_000, 900_000)
        return line

    def add_record(
        self, topic: str, key: str | None, headers: Iterable[tuple[str, str]], size: int, **fields: str
    ) -> Record:
        """A record that the broker stores now."""
        record = Record(
            topic,
            self.now + self.rng.randint(200_000, 4_000_000),
            key,
            tuple(headers),
            size,
            self.session.number,
            self.rng.randrange(AUDIO_IN_PARTITIONS),
            tuple(fields.items()),
        )
        self.session.records.append(record)
        return record

    def connect(self) -> Socket:
        """The client's WebSocket opens on the orchestrator's pod."""
        pod = self.pods["orchestrator"]
        self.wait(30, 300)
        connection = mint_connection(pod.clock(self.now) - self.rng.randint(1_000, 90_000))
        self.own(connection)
        self.open_socket = Socket(pod, connection, self.now, self.session.number)
        self.cluster.sockets.setdefault(pod.name, []).append(self.open_socket)
        self.say("orchestrator", "WebSocket client connected", connection=connection)
        return self.open_socket

    def bind(self, text: str) -> None:
        """The open socket stands for this ID from now on."""
        assert self.open_socket is not None
        self.open_socket.bound.append((self.now, text))

    def sends_to(self, text: str, pod: Pod) -> Socket | None:
        """The socket to which a reply for an ID goes: exactly equal, on the same pod."""
        socket = self.open_socket
        if socket is None or socket.pod is not pod or not socket.is_open(self.now):
            return None
        return socket if socket.bound_at(self.now) == text else None
