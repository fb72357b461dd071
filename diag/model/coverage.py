"""What was read, and what was not: the ground on which every claim of absence stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from diag.model.window import MINUTE_NS, Window

LONGEST_SILENCE_NS = 10 * MINUTE_NS
"""A service without traffic may write nothing for so long."""


class State(StrEnum):
    """How much of what was asked for a source gave."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """What one source gave.

    Attributes:
        source: its slug: ``cloud-logging``, ``pod-logs``, ``files``, ``kafka``, ``kubernetes``,
            ``repository``.
        asked: in words: window, files, brokers.
        got: in words: what came.
        entries: log entries read.
        objects: records, topics or Kubernetes objects read.
        notes: what a reader must know: why partial, lines not understood, what to do.
        requests: calls that counted against a quota.
    """

    source: str
    state: State
    asked: str = ""
    got: str = ""
    entries: int = 0
    objects: int = 0
    notes: tuple[str, ...] = ()
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """What all sources gave together.

    Attributes:
        window: what was searched for log entries; None where files without times were all there was.
        settled_ns: entries older than this have arrived, as far as ingestion goes; None for files,
            which are what they are.
        services: service -> entries read of it in the window, the session's own or not.
        pods: service -> its pods that were seen.
        spans: service -> from its first entry to its last.
        sides: service -> its side, of every service that is known.
    """

    sources: tuple[SourceCoverage, ...] = ()
    window: Window | None = None
    settled_ns: int | None = None
    services: tuple[tuple[str, int], ...] = ()
    pods: tuple[tuple[str, tuple[str, ...]], ...] = ()
    spans: tuple[tuple[str, Window], ...] = ()
    sides: Mapping[str, str] = field(default_factory=dict)

    def find(self, source: str) -> SourceCoverage | None:
        """The coverage of one source."""
        return next((one for one in self.sources if one.source == source), None)

    def log_sources(self) -> tuple[SourceCoverage, ...]:
        """The sources of log entries that were asked for."""
        return tuple(
            one
            for one in self.sources
            if one.source in ("cloud-logging", "files", "pod-logs") and one.state is not State.NOT_ASKED
        )

    def doubt_logs(self, note: str, *, only_complete: bool = False) -> Coverage:
        """The same with its log sources, or the complete ones of them, in part only, and `note` why."""
        logs = self.log_sources()
        doubted = (
            one
            if only_complete and one.state is not State.COMPLETE
            else replace(one, state=State.PARTIAL, notes=(note, *one.notes))
            for one in logs
        )
        return replace(self, sources=(*doubted, *(one for one in self.sources if one not in logs)))

    def logs_complete(self) -> bool:
        """Whether every log source that was asked gave all."""
        sources = self.log_sources()
        return bool(sources) and all(one.state is State.COMPLETE for one in sources)

    def hears(self, service: str, span: Window) -> bool:
        """Whether `service` was read around `span`: lines of another hour say nothing about it."""
        near, spans = span.around(LONGEST_SILENCE_NS), dict(self.spans)
        return any(name in spans and spans[name].overlaps(near) for name in self.heard_for(service))

    def heard_for(self, service: str) -> tuple[str, ...]:
        """`service` if it was heard, else the services that were, on its side: they do its work here."""
        heard = [name for name, count in self.services if count]
        side = self.sides.get(service)
        if service in heard or side is None:
            return (service,) if service in heard else ()
        return tuple(name for name in heard if self.sides.get(name) == side)

    def called(self, service: str) -> str:
        """How the service that does the work of `service` is called here."""
        return ", ".join(self.heard_for(service)) or service

    def entries_of(self, service: str) -> int:
        """Entries read of `service`, or of those that do its work here."""
        return sum(count for name, count in self.services if name in self.heard_for(service))

    def entries_read(self) -> int:
        """All log entries read."""
        return sum(one.entries for one in self.log_sources())
