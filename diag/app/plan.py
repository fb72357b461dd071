"""``--explain-plan``: what a run would ask of Cloud Logging, found by the steps of the run itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import diag
from diag.app import broker, reading
from diag.app.cluster import find_context
from diag.app.cluster_events import ask_for_events
from diag.app.discovery import discover
from diag.app.entries import Entries
from diag.app.log_source import open_live
from diag.app.many.reading import ask_for_all
from diag.app.pod_logs import reads_pods
from diag.app.recall import Recall, open_recall
from diag.app.request import Request, SessionRequest, SessionsRequest
from diag.app.session import check_asked
from diag.app.sessions import check_question, find_live_window
from diag.catalogue import load_catalogue
from diag.model.coverage import SourceCoverage
from diag.model.queries import LogQuery
from diag.model.reading_plan import PlannedQuery, ReadingPlan
from diag.model.records import LogRecord
from diag.model.window import Window

if TYPE_CHECKING:
    from diag.sources.cloud_logging import CloudLogging

_NOTHING: tuple[tuple[LogRecord, ...], ...] = ()

_WHY_SESSION = "lines that name the ID, or one that is tied to it"
_WHY_LINKED = (
    "lines of the IDs that those lines tie to the session, and of a wider window where the session reaches "
    "the edge of this one: up to {rounds} queries, of one filter each unless the IDs are too many for one"
)
_WHY_RECORDS = "lines of the IDs that Kafka's records tie to the session: up to {rounds} queries, likewise"
_WHY_SURROUNDINGS = (
    "first lines of other sessions, and lines that name none: what silence is judged by. Where the session "
    "is found the window is its own time and a minute around it"
)
_WHY_EVENTS = "events and changes that the cluster, which is read as well, has forgotten; if it can be read"
_WHY_ALL = "every line of the window: the sessions are found in them"
_SLICED = (
    "after a full page the rest of its window is asked for in up to {most} slices side by side, by the same "
    "filter with their times, at the cost of a request more for each"
)
_REFUSED = "requests that the service refuses are sent again a few times; these are not counted"
_SEVERAL = (
    "all {count} projects are asked in one request; where it is refused each project by itself, to find which"
)
_DISCOVERED = "the project is the one of the kubeconfig's context"
_FILES = "the log files are read; Cloud Logging is not asked"
_PODS = "the pods' logs are read from their nodes; Cloud Logging is not asked"


class Rehearsal:
    """A source that remembers what it is asked for and gives nothing, so nothing is sent."""

    def __init__(self, source: CloudLogging) -> None:
        self._asked: list[LogQuery] = []
        self._source = source

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        """No entries."""
        self._asked.append(query)
        for batch in _NOTHING:
            yield batch

    def take(self) -> list[LogQuery]:
        """What was asked since the last time."""
        asked, self._asked = self._asked, []
        return asked

    def coverage(self) -> SourceCoverage:
        """The source's own, of nothing read."""
        return self._source.coverage()


async def plan_session(request: SessionRequest) -> ReadingPlan:
    """What `diagnose_session` would ask; raises `DiagError` where that would before it asks anything."""
    check_asked(request)
    if request.files:
        return _plan_files(request, _FILES)
    request = discover(request)
    if reads_pods(request):
        return _plan_files(request, _PODS)
    catalogue = load_catalogue(request.settings.catalogue.files)
    broker.Broker(request, catalogue)  # a name of a broker that has no sense is said now
    source, asked = open_live(request, catalogue), catalogue.classify(request.asked)
    rehearsal, recall = Rehearsal(source), open_recall(request, source)
    entries = Entries(rehearsal, catalogue, recall, request.where)
    window = await reading.read_live(entries, asked, request)
    session = rehearsal.take()
    await reading.read_surroundings(entries, asked, window, request)
    queries = (
        *_to_planned(source, _first_round(session), _WHY_SESSION),
        *_describe_unknown(request, linked=bool(session)),
        *_to_planned(source, rehearsal.take(), _WHY_SURROUNDINGS, certain=not session),
        *_plan_events(request, source, window),
    )
    return _to_plan(request, source, recall, queries)


def _plan_events(request: SessionRequest, source: CloudLogging, window: Window) -> Iterator[PlannedQuery]:
    query = ask_for_events(window, request.now_ns)
    if query is not None and request.ask_cluster and find_context(request) is not None:
        yield from _to_planned(source, (query,), _WHY_EVENTS, certain=False)


def _first_round(queries: Sequence[LogQuery]) -> Sequence[LogQuery]:
    """What is asked before any answer decides how to go on."""
    return [query for query in queries if query.ids == queries[0].ids]


async def plan_sessions(request: SessionsRequest) -> ReadingPlan:
    """What `list_sessions` would ask; raises `DiagError` where that would before it asks anything."""
    check_question(request)
    if request.files:
        return _plan_files(request, _FILES)
    request = discover(request)
    if reads_pods(request):
        return _plan_files(request, _PODS)
    source = open_live(request, load_catalogue(request.settings.catalogue.files))
    recall = open_recall(request, source)
    parts = recall.divide(ask_for_all(find_live_window(request), request.where))
    queries = _to_planned(source, [part.query for part in parts if recall.load(part) is None], _WHY_ALL)
    return _to_plan(request, source, recall, tuple(queries))


def _to_planned(
    source: CloudLogging, queries: Iterable[LogQuery], why: str, *, certain: bool = True
) -> Iterator[PlannedQuery]:
    for query in queries:
        filters = source.filters(query)
        most = len(filters) * source.most_pages(query)
        yield PlannedQuery(query.what, why, filters, query.window, certain, most)


def _describe_unknown(request: SessionRequest, *, linked: bool) -> Iterator[PlannedQuery]:
    """Queries that the answers lead to: how many there may be is all that is known of them."""
    pages = request.settings.logging.max_pages
    rounds = reading.MOST_ROUNDS - 1
    if linked:
        yield _to_unknown("linked IDs", _WHY_LINKED, rounds, pages)
    if request.asks_broker:
        rounds = broker.MOST_ROUNDS * reading.MOST_ROUNDS
        yield _to_unknown("IDs of records", _WHY_RECORDS, rounds, pages)


def _to_unknown(what: str, why: str, rounds: int, pages: int) -> PlannedQuery:
    return PlannedQuery(what, why.format(rounds=rounds), (), None, False, rounds * pages)


def _to_plan(
    request: Request, source: CloudLogging, recall: Recall, queries: tuple[PlannedQuery, ...]
) -> ReadingPlan:
    kept, several = source.coverage().entries, len(request.settings.logging.resources)
    notes = (
        f"{kept} entries are in the cache; they are not asked for" if kept else "",
        recall.problem,
        *_tell_kafka(request),
        _DISCOVERED if request.discovered else "",
        _SEVERAL.format(count=several) if several > 1 else "",
        _SLICED.format(most=source.most_slices),
        _REFUSED,
    )
    told = tuple(filter(None, notes))
    return ReadingPlan(queries, source.where, request.settings.logging.quota, told, diag.__version__)


def _plan_files(request: Request, instead: str) -> ReadingPlan:
    notes = (instead, *_tell_kafka(request))
    return ReadingPlan((), "", request.settings.logging.quota, notes, diag.__version__)


def _tell_kafka(request: Request) -> Iterator[str]:
    if request.asks_broker:
        yield f"Kafka at {request.settings.kafka.bootstrap} is read as well; it takes none of these requests"
