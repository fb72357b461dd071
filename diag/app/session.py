"""``diag session``: one session, from a question to a diagnosis."""

from __future__ import annotations

from diag.app.attribution import attribute_lines
from diag.app.blueprint import read_blueprints
from diag.app.broker import Broker
from diag.app.cluster import Cluster
from diag.app.collecting import collect
from diag.app.coverage import cover_entries, describe_coverage, find_lag, find_unparsed, hear
from diag.app.discovery import discover, excuse
from diag.app.judging import judge_session
from diag.app.log_source import sees_others
from diag.app.nothing import explain_nothing
from diag.app.request import SessionRequest
from diag.app.where import check_where
from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.errors import UsageError
from diag.model.diagnosis import Diagnosis, NothingFound, Query
from diag.model.identifiers import LONGEST, Identifier
from diag.model.session import Session
from diag.model.window import MINUTE_NS, Window
from diag.normalise.redaction import redact_id
from diag.session.identity.links import is_hub
from diag.session.reconstruct import Reading, reconstruct
from diag.sources.files import show_name


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
        entries, window, before = await collect(request, catalogue, asked, broker, cluster)
    entries.compare_mint(asked, request.bounds)
    entries.compare_outside(asked, request.bounds)
    collected_ns = None if request.files else request.now_ns
    lag_ns = find_lag(entries.frame)
    settled_ns = None if collected_ns is None else collected_ns - lag_ns
    finder = entries.finder()
    kept = catalogue.classify(redact_id(asked.text))  # as its lines have it: a SIP Call-ID looks like e-mail
    hub = is_hub(kept.text, finder)
    logs = cover_entries(entries.coverage(), entries.frame.height, find_unparsed(entries.frame), lag_ns)
    reading = Reading(
        finder, catalogue, window, settled_ns, broker.records, broker.facts, wanted, broker.gaps
    )
    session = None if hub else reconstruct(kept, reading)
    query = _to_query(request, kept if session else asked, window, collected_ns)
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
    return meant.tie(attribute_lines(diagnosis, finder, sees_others=sees_others(entries.source)))


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
        logs=request.settings.logging.resources if live and not request.settings.logging.endpoint else (),
        namespace=request.settings.cluster.first_namespace if live else "",
    )
