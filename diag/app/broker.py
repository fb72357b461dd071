"""What the broker adds to a session: topics, groups and the session's records, or why it could not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from diag.app.entries import INTERRUPTED, Entries
from diag.app.reading import read_linked
from diag.app.request import Request, SessionRequest
from diag.app.tunnel import find_tunnel
from diag.errors import SourceError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.identifiers import Identifier, classify
from diag.model.records import SESSION_ROLES, KafkaRecord
from diag.model.topics import BrokerFacts
from diag.model.window import MINUTE_NS, Window
from diag.session.identity.links import is_hub
from diag.topics import join_pod_groups

if TYPE_CHECKING:
    from diag.model.tunnel import Tunnel
    from diag.sources.kafka import RecordsRead

SLUG = "kafka"
MOST_ROUNDS = 3
_MOST_NAMED = 5


class Broker:
    """What the broker gave so far, each part None where it did not. A failure is an answer, too.

    Raises `DiagError` at once where no connection can be made of the settings.
    """

    def __init__(self, request: Request, catalogue: Catalogue) -> None:
        self.facts: BrokerFacts | None = None
        self.records: tuple[KafkaRecord, ...] | None = None
        self.gaps: dict[str, str] = {}
        """Topic -> why not all of its records were looked at."""
        self._request = request
        self._settings = request.settings.kafka
        self._is_asked = request.asks_broker
        self._interrupted = False
        self._id_keys = frozenset(catalogue.keys_of(*SESSION_ROLES))
        self._window: Window | None = None
        self._looked_at = 0
        self._problems: list[str] = []
        self._misnamed: set[str] = set()
        self._tunnel: Tunnel | None = None
        if self._is_asked:
            from diag.sources.kafka import check_connection

            check_connection(self._settings)

    async def read(self, window: Window | None, ids: frozenset[str]) -> None:
        """Topics and groups, once, and the records of `ids` in `window` beside those already read."""
        if not self._is_asked or self._interrupted:
            return
        try:
            await self._read_through(window, ids)
        except asyncio.CancelledError:
            self.interrupt()
        except SourceError as error:
            self._problems.append(f"{error}; {error.hint}" if error.hint else str(error))

    async def _read_through(self, window: Window | None, ids: frozenset[str]) -> None:
        from diag.sources import kafka

        self._tunnel = self._tunnel or await asyncio.to_thread(find_tunnel, self._request.settings)
        with kafka.through(self._tunnel):
            if self.facts is None:
                await self._read_facts()
            if window is not None:
                await self._read_records(window, ids)

    def interrupt(self) -> None:
        """Ask nothing more; what came stays."""
        self._interrupted = True
        self._problems.append(INTERRUPTED)

    def tell(self, problem: str) -> None:
        """Something that makes its answer partial."""
        self._problems.append(problem)

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        if not self._is_asked:
            return SourceCoverage(SLUG, State.NOT_ASKED, notes=("no broker was named (--kafka)",))
        window = self._window.to_text() if self._window else "topics only"
        way = f" through {self._tunnel.name}" if self._tunnel else ""
        asked, notes = f"{self._settings.bootstrap}{way}, {window}", tuple(dict.fromkeys(self._problems))
        if self.facts is None:
            state = State.PARTIAL if self._interrupted else State.FAILED
            return SourceCoverage(SLUG, state, asked, notes=notes)
        topics = sum(not topic.internal for topic in self.facts.topics.values())
        return SourceCoverage(
            source=SLUG,
            state=State.PARTIAL if notes else State.COMPLETE,
            asked=asked,
            got=f"{topics} topics, {len(self.facts.groups)} groups{self._describe_records()}",
            objects=topics + len(self.records or ()),
            notes=(*notes, *_explain_misnamed(self._misnamed)),
        )

    def _describe_records(self) -> str:
        if self.records is None:
            return ", no records" if self._window else ""
        return f", {len(self.records)} records of {self._looked_at} looked at"

    async def _read_facts(self) -> None:
        from diag.sources import kafka

        self._request.progress("reading Kafka: topics and groups")
        self.facts = join_pod_groups(await kafka.read_broker(self._settings, self._request.now_ns))

    async def _read_records(self, window: Window, ids: frozenset[str]) -> None:
        from diag.sources import kafka

        self._window = window if self._window is None else self._window.union(window)
        read = await kafka.read_records(self._settings, window, ids, self._id_keys, self._request.progress)
        self._looked_at += read.looked_at
        self._problems += _explain_cuts(read)
        self._misnamed.update(read.misnamed)
        self.gaps |= _find_gaps(read)
        both = {record.ref: record for record in (*(self.records or ()), *read.records)}
        self.records = tuple(sorted(both.values(), key=lambda r: (r.time_ns, r.topic, r.partition, r.offset)))


def _explain_cuts(read: RecordsRead) -> list[str]:
    """Why it is not all, and what of which topic is missing."""
    denied = [f"the broker does not let diag read {topic}; grant READ on this topic" for topic in read.denied]
    cut = [one for one in read.cut if one.topic not in read.denied]
    if not cut and not read.problem:
        return denied
    named = ", ".join(f"{one.topic}: {one.looked_at} of {one.in_window}" for one in cut)
    why = read.problem or "raise kafka.max_records"
    return [*denied, f"not every record of the window was looked at ({named}); {why}"]


def _explain_misnamed(refs: set[str]) -> list[str]:
    """What is no fault of the reading: nothing is missing, but others may stumble there."""
    if not refs:
        return []
    shown = ", ".join(sorted(refs)[:_MOST_NAMED]) + (", .." if len(refs) > _MOST_NAMED else "")
    what = "1 record has" if len(refs) == 1 else f"{len(refs)} records have"
    return [f"{what} a header whose name is not UTF-8 ({shown}): read, but many a client can not go on there"]


def _find_gaps(read: RecordsRead) -> dict[str, str]:
    """Topic by topic why its records are not all."""
    return {
        one.topic: "the broker does not let diag read it"
        if one.topic in read.denied
        else f"{one.looked_at} of {one.in_window} records of its time were looked at"
        for one in read.cut
    }


async def read_broker(
    broker: Broker, entries: Entries, asked: Identifier, window: Window | None, request: SessionRequest
) -> Window | None:
    """Read the broker, and the lines and records of what only its records tie to the session.

    Gives the window that was searched for log entries at last: the lines of such an ID can widen it.
    """
    if entries.interrupted:
        broker.interrupt()
    if is_hub(asked.text, entries.finder()):
        await broker.read(window, frozenset())  # it is no session: what was lost is all that can be its
        return window
    ids, span = entries.members_of(asked)
    for _ in range(MOST_ROUNDS):
        await broker.read(_narrow(window, ids, span, entries.coverage().state), ids)
        linked = entries.members_of(asked, broker.records or ())[0]
        if linked <= ids:
            return window
        if window is not None and not request.files:
            window = await read_linked(entries, asked, window, request, broker.records or ())
        ids, span = entries.members_of(asked, broker.records or ())
    broker.tell(f"its records still led to new IDs after {MOST_ROUNDS} rounds; those were not followed")
    return window


def _narrow(window: Window | None, ids: frozenset[str], span: Window | None, state: State) -> Window | None:
    """The session's own time and a minute around it, where all of its lines are there to tell.

    Its time begins when its IDs were minted: lines that are all late speak of records that were not.
    """
    if window is None or span is None or state is not State.COMPLETE:
        return window
    minted = (classify(text).minted_ns for text in ids)
    start = min([span.start_ns, *(ns for ns in minted if ns is not None and window.contains(ns))])
    return Window(start, span.end_ns).around(MINUTE_NS)
