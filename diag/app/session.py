"""``diag session``: one session, from a question to a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diag.app.attribution import attribute_lines
from diag.app.blueprint import read_blueprints
from diag.app.broker import Broker, read_broker
from diag.app.cluster import Cluster
from diag.app.coverage import cover_entries, describe_coverage, find_lag, find_unparsed, hear
from diag.app.discovery import discover, excuse
from diag.app.entries import Entries
from diag.app.judging import judge_session
from diag.app.nothing import explain_nothing
from diag.app.pod_logs import explain_instead, is_needed_instead, open_pod_logs, reads_pods
from diag.app.reading import read_files, read_linked, read_live, read_searched, read_surroundings
from diag.app.recall import open_recall
from diag.app.request import Request, SessionRequest
from diag.app.where import check_where
from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.errors import UsageError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage
from diag.model.diagnosis import Diagnosis, NothingFound, Query
from diag.model.identifiers import LONGEST, Identifier
from diag.model.queries import LogSource
from diag.model.records import POD_LOGS
from diag.model.session import Session
from diag.model.window import MINUTE_NS, Window
from diag.session.identity.links import is_hub
from diag.session.reconstruct import Reading, reconstruct
from diag.sources.files import Files, NarrowedFiles, show_name

_MOST_READ = 32 << 20
"""Bytes of files that are read as a whole; of more the session's lines are searched for."""

if TYPE_CHECKING:
    from diag.sources.cloud_logging import CloudLogging


async def diagnose_session(request: SessionRequest) -> Diagnosis | NothingFound:
    """Read everything about one session and judge it; raises `DiagError` where nothing can be asked.

    A cancellation ends the reading, not the answer: what came until then is judged, and its coverage is
    partial. Where nothing came it ends both.
    """
    check_asked(request)
    request = discover(request)
    catalogue = load_catalogue(request.settings.catalogue.files)
    asked = catalogue.classify(request.asked)
    wanted = load_wanted_topics(request.settings.topics.file)
    broker = Broker(request, catalogue)
    async with Cluster(request) as cluster:  # beside all that is read here
        entries, window, before = await _collect(request, catalogue, asked, broker, cluster)
    entries.compare_mint(asked, request.bounds)
    entries.compare_outside(asked, request.bounds)
    collected_ns = None if request.files else request.now_ns
    lag_ns = find_lag(entries.frame)
    settled_ns = None if collected_ns is None else collected_ns - lag_ns
    finder = entries.finder()
    hub = is_hub(asked.text, finder)
    logs = cover_entries(entries.coverage(), entries.frame.height, find_unparsed(entries.frame), lag_ns)
    reading = Reading(
        finder, catalogue, window, settled_ns, broker.records, broker.facts, wanted, broker.gaps
    )
    query = _to_query(request, asked, window, collected_ns)
    session = None if hub else reconstruct(asked, reading)
    meant = await read_blueprints(request, catalogue, session, interrupted=entries.interrupted)
    lines = map(excuse, (*before, logs)) if request.discovered else (*before, logs)
    sources = (*lines, broker.coverage(), cluster.coverage(), *meant.coverage())
    coverage = describe_coverage(hear(entries.frame), sources, window, settled_ns, catalogue.sides)
    if session is None:
        return explain_nothing(query, coverage, finder)
    view = cluster.view(_span_of(session, window), coverage, catalogue)
    blueprint = meant.hold_against(view)
    diagnosis = judge_session(query, session, reading, coverage, view, blueprint=blueprint)
    # who asks for other sessions' first steps alone can not tell whose a line is
    return meant.tie(attribute_lines(diagnosis, finder, sees_others=_sees_others(entries.source)))


async def _collect(
    request: SessionRequest, catalogue: Catalogue, asked: Identifier, broker: Broker, cluster: Cluster
) -> tuple[Entries, Window | None, tuple[SourceCoverage, ...]]:
    """All that there is of the session; its window, and the account of a source that had nothing of it."""
    source = _narrow(open_source(request, catalogue), request, catalogue)
    entries = Entries(source, catalogue, open_recall(request, source), request.where)
    window = await _read_all(entries, broker, asked, request)
    await cluster.finish(interrupted=entries.interrupted)
    if not is_needed_instead(request, entries, cluster):
        await cluster.recall_events(entries, window)
        return entries, window, ()
    before = explain_instead(entries.coverage())
    entries = Entries(open_pod_logs(request, catalogue), catalogue, where=request.where)
    return entries, await _read_all(entries, broker, asked, request), (before,)


def _sees_others(source: LogSource) -> bool:
    """Whether every line around the session was read, whoever wrote it."""
    if source.coverage().source == POD_LOGS:
        return True
    return isinstance(source, Files) or (isinstance(source, NarrowedFiles) and not source.chose)


def _span_of(session: Session, window: Window | None) -> Window | None:
    """The session's own time and a minute around it; the whole window where no line has a time."""
    if session.first_ns is None or session.last_ns is None:
        return window
    return Window(session.first_ns, session.last_ns + 1).around(MINUTE_NS)


def check_asked(request: SessionRequest) -> None:
    """Refuse what no service can be asked for; raises `UsageError`."""
    check_where(request.where)
    if not request.files and len(request.asked) > LONGEST:
        raise UsageError(
            f"an ID of {len(request.asked)} characters is no ID of any service", hint="check the ID"
        )


async def _read_all(
    entries: Entries, broker: Broker, asked: Identifier, request: SessionRequest
) -> Window | None:
    """Lines, records, what was around, and the lines that only these led to; gives the window."""
    if isinstance(entries.source, NarrowedFiles):
        return await _read_narrowed(entries, broker, asked, request, entries.source)
    if request.files:
        return await read_broker(broker, entries, asked, await read_files(entries, request), request)
    window = await read_live(entries, asked, request)
    window = await read_broker(broker, entries, asked, window, request) or window
    await read_surroundings(entries, asked, window, request, broker.records or ())
    # another writing of its ID may have been among them
    return await read_linked(entries, asked, window, request, broker.records or ())


async def _read_narrowed(
    entries: Entries, broker: Broker, asked: Identifier, request: SessionRequest, source: NarrowedFiles
) -> Window | None:
    """As from a live source: lines, records, what was around, and the lines that only these led to."""
    window = await read_searched(entries, asked, request, source.span)
    await read_broker(broker, entries, asked, window, request)
    records = broker.records or ()
    await read_surroundings(entries, asked, window, request, records)
    window = await read_searched(entries, asked, request, source.span, records)
    if request.bounds != (None, None):
        entries.narrow(request.bounds)
    return window


def open_source(request: Request, catalogue: Catalogue) -> LogSource:
    """The files that are given, else the nodes or Cloud Logging; raises `UsageError` where none is named."""
    if request.files:
        return Files(request.files, request.progress)
    if reads_pods(request):
        return open_pod_logs(request, catalogue)
    return open_live(request, catalogue)


def _narrow(source: LogSource, request: Request, catalogue: Catalogue) -> LogSource:
    """Files that are too much to be read for one session are searched."""
    if isinstance(source, Files) and (large := source.split_large(_MOST_READ)):
        return NarrowedFiles(source, large, catalogue, request.progress)
    return source


def open_live(request: Request, catalogue: Catalogue) -> CloudLogging:
    """Cloud Logging, not yet asked for anything; raises `UsageError` where no project is named."""
    if not request.settings.logging.project:
        raise UsageError(
            "nothing to read: no log files were given and no project is known",
            hint="give FILE or -, or --project, or a kubeconfig whose context is a GKE one",
        )
    from diag.sources.cloud_logging import CloudLogging

    return CloudLogging(request.settings.logging, request.settings.cluster, catalogue, request.progress)


def _to_query(
    request: SessionRequest, asked: Identifier, window: Window | None, collected_ns: int | None
) -> Query:
    live = not request.files
    return Query(
        asked=asked,
        window=window,
        files=tuple(show_name(name) for name in request.files),
        collected_ns=collected_ns,
        # Google's console knows only what Google's service holds.
        project=request.settings.logging.project if live and not request.settings.logging.endpoint else "",
        namespace=request.settings.cluster.first_namespace if live else "",
    )
