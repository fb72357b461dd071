"""``diag sessions`` and ``diag find``: every session of a window, or some of them, a line each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from difflib import get_close_matches
from functools import partial

import diag
from diag.app.broker import Broker
from diag.app.coverage import describe_coverage
from diag.app.discovery import discover, excuse
from diag.app.entries import INTERRUPTED
from diag.app.log_source import open_source
from diag.app.many.intake import Digest
from diag.app.many.judging import JudgingJob, judge_shard
from diag.app.many.plan import plan_shards
from diag.app.many.reading import Intake, Room, share_out
from diag.app.many.workers import Workers, kill_processes, open_workers
from diag.app.pod_logs import are_needed_instead, explain_instead, open_pod_logs
from diag.app.recall import open_recall
from diag.app.request import SessionsRequest
from diag.app.sought import FOUND_BY, check_sought, explain_unfound
from diag.app.where import check_where
from diag.catalogue import load_catalogue
from diag.checks import CHECKS
from diag.config import load_wanted_topics
from diag.errors import UsageError
from diag.model.catalogue import Catalogue
from diag.model.coverage import Coverage, SourceCoverage
from diag.model.overview import Overview, SessionLine
from diag.model.window import MINUTE_NS, Window
from diag.sources.files import Files, show_name
from diag.sources.scratch import open_scratch, remove_open

_SHARDS_EACH = 4
"""Of one process, so that none waits long for the last; each reads what is around its sessions again."""

DEFAULT_NS = 60 * MINUTE_NS
"""How far back a live source is read where no window is given."""


async def list_sessions(request: SessionsRequest) -> Overview:
    """Read everything in the window and judge each of its sessions; raises `DiagError`.

    A cancellation ends the reading, not the answer: what came until then is judged, and its coverage is
    partial. If all was read it ends the judging, and the answer has what was judged until then. Where
    nothing came it ends both.
    """
    check_question(request)
    request = discover(request)
    catalogue = load_catalogue(request.settings.catalogue.files)
    source, room = open_source(request, catalogue), share_out(request.settings.work)
    parts = tuple(source.parts(room.part_bytes)) if isinstance(source, Files) else ()
    processes = room.processes if len(parts) > 1 else 1
    with open_scratch() as folder, open_workers(processes) as workers:
        intake = Intake(request, source, folder, open_recall(request, source))
        broker = Broker(request, catalogue)
        await intake.read(find_live_window(request), parts, workers)
        before: tuple[SourceCoverage, ...] = ()
        if not intake.interrupted and are_needed_instead(request, source, len(intake.digests)):
            before = (explain_instead(source.coverage(), narrowed=request.where is not None),)
            intake = Intake(request, open_pod_logs(request, catalogue), folder)
            await intake.read(find_live_window(request), (), workers)
        if not intake.interrupted:
            await broker.read(None, frozenset())
        coverage = _describe(request, (*before, intake.coverage()), intake, broker, catalogue)
        job = JudgingJob(
            folder=folder,
            catalogue_files=request.settings.catalogue.files,
            crowded=frozenset(),
            coverage=coverage,
            files=tuple(map(show_name, request.files)),
            collected_ns=None if request.files else request.now_ns,
            broker=broker.facts,
            wanted=load_wanted_topics(request.settings.topics.file),
            sought=request.sought or "",
        )
        lines, not_judged = await _judge(job, intake.digests, room, workers, request)
    if not_judged:
        note = f"{INTERRUPTED}: {not_judged} IDs of sessions were read and not judged"
        coverage = coverage.doubt_logs(note)
    return _to_overview(request, coverage, lines)


def leave_nothing() -> None:
    """End the processes of `list_sessions` and remove its folder: this process ends without unwinding."""
    try:
        kill_processes()
    finally:
        remove_open()


def check_question(request: SessionsRequest) -> None:
    """Refuse what no session can have; raises `UsageError`."""
    check_where(request.where)
    _check_cause(request.cause)
    check_sought(request.sought)


def _check_cause(slug: str) -> None:
    known = [check.slug for check in CHECKS]
    if slug and slug not in known:
        near = get_close_matches(slug, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"--cause: no check {slug[:80]!r}", hint=hint)


def find_live_window(request: SessionsRequest) -> Window:
    """What a live source is asked for; files are read whole, and narrowed to the bounds."""
    since, until = request.bounds
    end = min(request.now_ns, request.now_ns if until is None else until)
    start = end - DEFAULT_NS if since is None else since
    return Window(min(start, end), end)


def _describe(
    request: SessionsRequest,
    logs: Iterable[SourceCoverage],
    intake: Intake,
    broker: Broker,
    catalogue: Catalogue,
) -> Coverage:
    digests = intake.digests
    return describe_coverage(
        [heard for digest in digests for heard in digest.heard],
        (*(map(excuse, logs) if request.discovered else logs), broker.coverage()),
        _span_of(digests) if request.files else find_live_window(request),
        None if request.files else request.now_ns - intake.lag_ns,
        catalogue.sides,
    )


def _span_of(digests: Iterable[Digest]) -> Window | None:
    spans = [digest.span for digest in digests if digest.span is not None]
    return Window(min(first for first, _ in spans), max(last for _, last in spans) + 1) if spans else None


async def _judge(
    job: JudgingJob, digests: list[Digest], room: Room, workers: Workers, request: SessionsRequest
) -> tuple[list[SessionLine], int]:
    """A line for each session, and how many sessions' IDs were left when a cancellation came."""
    lines_read = sum(digest.entries for digest in digests)
    plan = plan_shards(digests, min(room.shard_lines, lines_read // (room.processes * _SHARDS_EACH) + 1))
    judge = partial(judge_shard, replace(job, crowded=plan.crowded))
    lines: list[SessionLine] = []
    left = list(plan.shards)
    request.progress("judging")
    try:
        async with aclosing(workers.each(judge, plan.shards)) as judged:
            async for found in judged:
                lines += found
                del left[0]
                request.progress(f"judging: {len(lines)} sessions")
    except asyncio.CancelledError:
        if not lines:
            raise
    not_judged = sum(len(group.sessions) for shard in left for group in shard.groups)
    return sorted(lines, key=lambda line: (line.first_ns or 0, line.id)), not_judged


def _to_overview(request: SessionsRequest, coverage: Coverage, lines: list[SessionLine]) -> Overview:
    wanted = tuple(line for line in lines if _is_wanted(line, request))
    in_vain = request.sought is not None and lines and not wanted
    return Overview(
        window=coverage.window,
        files=tuple(map(show_name, request.files)),
        sessions=wanted,
        seen=len(lines),
        coverage=coverage,
        only=_describe_filter(request),
        version=diag.__version__,
        notes=explain_unfound(request.sought or "", len(lines)) if in_vain else (),
    )


def _is_wanted(line: SessionLine, request: SessionsRequest) -> bool:
    if request.unanswered and not line.unanswered:
        return False
    if request.sought is not None and not line.found_by:
        return False
    return not request.cause or any(finding.slug == request.cause for finding in line.findings)


def _describe_filter(request: SessionsRequest) -> str:
    """What of all sessions is shown, in words."""
    parts = (
        FOUND_BY if request.sought is not None else "",
        "with a turn that got no reply" if request.unanswered else "",
        f"with {request.cause}" if request.cause else "",
    )
    return " and ".join(filter(None, parts))
