"""What a command asks of its use case, with everything that the outside decides."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.filters import Filter
from diag.model.progress import Progress, ignore
from diag.model.settings import Settings

Bounds = tuple[int | None, int | None]
"""``--since`` and ``--until``; None where not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every question says of where and when to look.

    Attributes:
        files: read instead of the live sources; ``-`` is standard input.
        now_ns: the time of asking; nothing below reads a clock.
        since_ns: start of the window, if given.
        until_ns: end of the window, if given.
        ask_kafka: with files the broker is asked only if a flag says so.
        ask_cluster: likewise the cluster.
        where: a further condition that entries must meet to be read.
        discovered: the project was found by ourselves; nobody named it.
    """

    settings: Settings
    now_ns: int
    files: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    ask_kafka: bool = True
    ask_cluster: bool = True
    discovered: bool = False
    where: Filter | None = None
    progress: Progress = ignore

    @property
    def bounds(self) -> Bounds:
        """Both ends of the window as they were given; nothing outside of them is read or judged."""
        return self.since_ns, self.until_ns

    @property
    def names_cluster(self) -> bool:
        """Whether somebody said that the cluster is to be asked; what was only found is excused."""
        return self.settings.kubernetes.is_named or self.settings.logging.source == "kubernetes"

    @property
    def asks_broker(self) -> bool:
        """Whether a broker is named, and to be read in this run."""
        return self.ask_kafka and bool(self.settings.kafka.bootstrap)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest(Request):
    """One question about one session.

    Attributes:
        asked: the ID as typed.
    """

    asked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsRequest(Request):
    """One question about all sessions of a window.

    Attributes:
        unanswered: only those with a turn that got no reply.
        cause: only those with this finding; empty: whatever was found.
        sought: only those that have this text in an ID, the name of a pod or a line; None: all.
    """

    unanswered: bool = False
    cause: str = ""
    sought: str | None = None
