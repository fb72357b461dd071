"""What a run would ask of the log service, before any of it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.window import Window

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """One query of a run.

    Attributes:
        what: in words, as coverage and progress name it.
        why: what its answer is needed for.
        filters: as the service gets them, each at least one request; empty where they are not known yet, nor
            whether they are needed.
        window: what is searched; None where it is not known yet.
        certain: False where the answers before it decide how it is asked, if only in which window.
        most_requests: if every filter takes all the pages that it may.
    """

    what: str
    why: str
    filters: tuple[str, ...]
    window: Window | None
    certain: bool
    most_requests: int


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """All queries of a run, in the order in which they are asked.

    Attributes:
        where: project, location, cluster and namespace.
        quota: read requests a minute that may be spent.
        notes: what is read beside, and what the figures leave out.
    """

    queries: tuple[PlannedQuery, ...]
    where: str
    quota: int
    notes: tuple[str, ...] = ()
    version: str = ""

    @property
    def least_requests(self) -> int:
        """If every answer fits into one page, and leads to nothing new."""
        return sum(len(query.filters) for query in self.queries)

    @property
    def most_requests(self) -> int:
        """If every query is asked, and takes all the pages that it may."""
        return sum(query.most_requests for query in self.queries)

    def wait_s(self, requests: int) -> int:
        """What the quota makes so many requests wait, in seconds; how long they take is the service's."""
        return max(0, requests - 1) // self.quota * MINUTE_S
