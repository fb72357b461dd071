"""All that there is of one session: its lines, its records, what was around, and the cluster."""

from __future__ import annotations

from diag.app.broker import Broker, read_broker
from diag.app.cluster import Cluster
from diag.app.entries import Entries
from diag.app.log_source import open_narrowed
from diag.app.pod_logs import explain_instead, is_needed_instead, open_pod_logs
from diag.app.reading import read_files, read_linked, read_live, read_searched, read_surroundings
from diag.app.recall import open_recall
from diag.app.request import SessionRequest
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage
from diag.model.identifiers import Identifier
from diag.model.window import Window
from diag.sources.files import NarrowedFiles


async def collect(
    request: SessionRequest, catalogue: Catalogue, asked: Identifier, broker: Broker, cluster: Cluster
) -> tuple[Entries, Window | None, tuple[SourceCoverage, ...]]:
    """All that there is of the session; its window, and the account of a source that had nothing of it."""
    source = open_narrowed(request, catalogue)
    entries = Entries(source, catalogue, open_recall(request, source), request.where)
    window = await _read_all(entries, broker, asked, request)
    await cluster.finish(interrupted=entries.interrupted)
    if not is_needed_instead(request, entries, cluster):
        await cluster.recall_events(entries, window)
        return entries, window, ()
    before = explain_instead(entries.coverage(), narrowed=request.where is not None)
    entries = Entries(open_pod_logs(request, catalogue), catalogue, where=request.where)
    return entries, await _read_all(entries, broker, asked, request), (before,)


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
