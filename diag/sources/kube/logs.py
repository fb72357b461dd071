"""Logs of pods, straight from their nodes: for clusters whose containers do not log to Cloud Logging.

A node keeps the log of a container and of the one before it, no more: what a pod that is gone wrote is gone
with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from urllib.parse import quote

from diag.errors import SourceError
from diag.model.coverage import SourceCoverage, State
from diag.model.instants import format_instant, parse_instant
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.records import POD_LOGS, LogRecord
from diag.model.settings import KubernetesSettings
from diag.model.window import Window
from diag.sources.aside import run_aside
from diag.sources.kube import listing, reasons
from diag.sources.kube.client import SIDE_BY_SIDE, Api, connect
from diag.sources.kube.fields import list_at, number_at, text_at

_KB = 1 << 10


@dataclass(frozen=True, slots=True)
class Stream:
    """The log of one container, or of the one that ran before it."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    @property
    def path(self) -> str:
        """Where it is read."""
        namespace, pod = (quote(name, safe="") for name in (self.namespace, self.pod))
        return f"/api/v1/namespaces/{namespace}/pods/{pod}/log"

    @property
    def name(self) -> str:
        """As coverage and references name it."""
        return f"pod/{self.namespace}/{self.pod}/{self.container}{'/previous' if self.previous else ''}"


@dataclass(frozen=True, slots=True)
class _Read:
    """What came of a stream: its lines, and why they are not all."""

    stream: Stream
    records: tuple[LogRecord, ...] = ()
    problem: str = ""
    note: str = ""


class PodLogs:
    """The logs of all containers of the pods that are ours. Implements `diag.model.queries.LogSource`.

    A query does not narrow it but by its window: a node can not search.
    """

    def __init__(
        self,
        settings: KubernetesSettings,
        context: str,
        namespaces: Sequence[str],
        is_ours: Callable[[str], bool],
        progress: Progress = ignore,
    ) -> None:
        self._settings = settings
        self._context = context
        self._namespaces = tuple(namespaces)
        self._is_ours = is_ours
        self._progress = progress
        self._api: Api | None = None
        self._streams: tuple[Stream, ...] | None = None
        self._window: Window | None = None
        self._born: list[int] = []
        self._lines: dict[Stream, int] = {}
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._failed = False
        self._broken = 0

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        """The lines of the query's window that were not read before; a failure stands in the coverage."""
        if self._failed:
            return
        try:
            streams = await self._find_streams()
            for stretch in self._take_missing(query.window):
                self._progress(f"reading the logs of {len(streams)} containers from their nodes")
                async for batch in self._read_all(streams, stretch):
                    yield batch
        except SourceError as error:
            self._failed = True
            self._problems.append(f"{error}; {error.hint}" if error.hint else str(error))

    def coverage(self) -> SourceCoverage:
        """What was asked and what came, container by container."""
        lines = sum(self._lines.values())
        state = State.PARTIAL if self._problems else State.COMPLETE
        if self._failed and not lines:
            state = State.FAILED
        pods = {(stream.namespace, stream.pod) for stream in self._streams or ()}
        place = self._api.place if self._api else self._context
        when = f", {self._window.to_text()}" if self._window else ""
        return SourceCoverage(
            source=POD_LOGS,
            state=state,
            asked=f"{place}, {', '.join(self._namespaces) or 'all namespaces'}{when}",
            got=f"{len(self._lines)} logs of {len(pods)} pods",
            entries=lines,
            notes=tuple(dict.fromkeys((*self._problems, *self._notes, *self._tell_younger()))),
            requests=self._api.requests if self._api else 0,
        )

    def _tell_younger(self) -> Iterator[str]:
        """A rollout takes the logs of the pods that it replaces with it."""
        if self._window is not None:
            younger = sum(born_ns > self._window.start_ns for born_ns in self._born)
            if younger:
                yield (
                    f"{younger} of {len(self._born)} pods were made after the window began: "
                    "what ran before them, if anything did, is gone with its log"
                )

    async def _find_streams(self) -> tuple[Stream, ...]:
        if self._streams is None:
            api = self._api = await run_aside(partial(connect, self._settings, self._context))
            self._namespaces = self._namespaces or tuple(filter(None, (api.namespace,)))
            pods: list[object] = []
            for namespace in self._namespaces or ("",):
                listed = await run_aside(partial(listing.list_all, api, listing.PODS, namespace))
                pods += listed.items or ()
                if listed.unread is not None:
                    self._problems.append(f"{listed.unread.reason}; {listed.unread.remedy}")
            self._streams = tuple(stream for pod in pods for stream in self._streams_of(pod))
            if not self._streams:
                self._problems.append(
                    "no pod of a known service is in the cluster now; gone ones have no log"
                )
        return self._streams

    def _streams_of(self, pod: object) -> Iterator[Stream]:
        namespace, name = text_at(pod, "metadata", "namespace"), text_at(pod, "metadata", "name")
        if not self._is_ours(name):
            return
        self._born.append(parse_instant(text_at(pod, "metadata", "creationTimestamp")) or 0)
        told = (list_at(pod, "status", kind) for kind in ("initContainerStatuses", "containerStatuses"))
        for status in chain.from_iterable(told):
            container, restarts = text_at(status, "name"), number_at(status, "restartCount")
            if restarts:
                yield Stream(namespace, name, container, previous=True)
            if restarts > 1:
                earlier = f"{restarts - 1} run{'s' if restarts > 2 else ''}"
                self._notes.append(f"{name}/{container}: the logs of {earlier} before the last two are lost")
            yield Stream(namespace, name, container)

    def _take_missing(self, window: Window) -> Iterator[Window]:
        """What of the window was not read so far, with what lies between."""
        known, whole = self._window, window if self._window is None else self._window.union(window)
        self._window = whole
        if known is None:
            yield whole
            return
        if whole.start_ns < known.start_ns:
            yield Window(whole.start_ns, known.start_ns)
        if known.end_ns < whole.end_ns:
            yield Window(known.end_ns, whole.end_ns)

    async def _read_all(
        self, streams: Sequence[Stream], window: Window
    ) -> AsyncIterator[tuple[LogRecord, ...]]:
        """A few logs side by side and then the next few: no more than these are in memory.

        A cancellation costs those that did not come yet.
        """
        for start in range(0, len(streams), SIDE_BY_SIDE):
            few = streams[start : start + SIDE_BY_SIDE]
            reading = [asyncio.ensure_future(self._take_turn(one, window)) for one in few]
            try:
                await asyncio.wait(reading)
            except asyncio.CancelledError:
                for batch in self._take(reading):
                    yield batch
                raise
            for batch in self._take(reading):
                yield batch
        self._failed = bool(streams) and self._broken >= min(len(streams), SIDE_BY_SIDE)

    async def _take_turn(self, stream: Stream, window: Window) -> _Read:
        if self._broken >= SIDE_BY_SIDE:
            return _Read(stream, problem="the other logs were not asked for any more; ask again")
        try:
            return await run_aside(partial(self._read, stream, window))
        except SourceError as error:
            self._broken += 1
            return _Read(stream, problem=f"{stream.name}: {error}; {error.hint}")

    def _take(self, reading: Sequence[asyncio.Future[_Read]]) -> Iterator[tuple[LogRecord, ...]]:
        """The records of those that came, and their account; the others are called off."""
        for one in [future.result() for future in reading if not future.cancel()]:
            if one.problem:
                self._problems.append(one.problem)
            if one.note:
                self._notes.append(one.note)
            self._lines[one.stream] = self._lines.get(one.stream, 0) + len(one.records)
            if one.records:
                yield one.records

    def _read(self, stream: Stream, window: Window) -> _Read:
        assert self._api is not None  # noqa: S101  it is connected before streams are known
        most = self._settings.log_kb * _KB
        query: dict[str, str | int] = {
            "container": stream.container,
            "timestamps": "true",
            "sinceTime": format_instant(window.start_ns, 0),
            "limitBytes": most,
        }
        if stream.previous:
            query["previous"] = "true"
        try:
            body, _ = self._api.get_bytes(stream.path, query, most)
        except reasons.RefusedError as refused:
            return _explain(refused, stream)
        before = self._lines.get(stream, 0)
        records = tuple(_to_records(body, stream, window, before))
        if len(body) < most or _ends_after(body, window):
            return _Read(stream, records)
        told = (
            f"{stream.name}: more than {self._settings.log_kb} KB; the rest was not read (kubernetes.log_kb)"
        )
        return _Read(stream, records, problem=told)


def _explain(refused: reasons.RefusedError, stream: Stream) -> _Read:
    """What a node, or the API server before it, says instead of a log."""
    if refused.status == 403:
        reason, remedy = reasons.explain_refusal(refused, "pods/log", "get pods/log", stream.namespace)
        return _Read(stream, problem=f"{reason}; {remedy}")
    if refused.status == 404:
        return _Read(stream, note=f"{stream.name}: is gone by now, and its log with it")
    if refused.status == 400 and "waiting to start" in refused.said:
        return _Read(stream, note=f"{stream.name}: has not started, so it wrote nothing")
    if refused.status == 400 and stream.previous:
        return _Read(stream, problem=f"{stream.name}: the node does not keep it any more; ask Cloud Logging")
    return _Read(
        stream,
        problem=f"{stream.name}: HTTP {refused.status} ({refused.said or 'no reason given'}); ask again",
    )


def _to_records(body: bytes, stream: Stream, window: Window, before: int) -> Iterator[LogRecord]:
    """Lines of the window, as ``kubectl logs --prefix --timestamps`` writes them."""
    number = before
    for line in body.split(b"\n"):
        text = line.decode("utf-8", "replace").removesuffix("\r")
        at_ns = parse_instant(text.partition(" ")[0])
        # a line without a time is what is left of one that was cut
        if at_ns is not None and window.contains(at_ns):
            number += 1
            prefixed = f"[pod/{stream.pod}/{stream.container}] {text}"
            yield LogRecord(prefixed, f"{stream.name}:{number}", POD_LOGS)


def _ends_after(body: bytes, window: Window) -> bool:
    """Whether what was cut off lies behind the window anyhow: the line before the last tells."""
    lines = body.rsplit(b"\n", 2)
    last = parse_instant(lines[-2].decode("utf-8", "replace").partition(" ")[0]) if len(lines) > 2 else None
    return last is not None and last >= window.end_ns
