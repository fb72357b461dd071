"""Which lines of a container's log are asked for, and how they are given. Pure.

Source: Kubernetes 1.36, ``PodLogOptions``, ``validateContainerLogStatus`` in
pkg/kubelet/kubelet_pods.go, and cri-client's ``ReadLogs``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.local.cri import CriLine, parse_line
from pipeline.local.kubelet.observations import ContainerSeen, Running, Terminated, Waiting
from pipeline.local.kubelet.times import from_rfc3339

_IMAGE_FAULTS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is asked for. `since` is in seconds since the epoch."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float | None = None
    streams: frozenset[str] = frozenset({"stdout", "stderr"})


class LogRefusedError(Exception):
    """There is no such log; the text is the kubelet's."""


def read_options(query: Mapping[str, str], now: float) -> LogOptions:
    """The options of a request; raises `ValueError`."""
    since = from_rfc3339(query["sinceTime"]) if "sinceTime" in query else None
    if "sinceSeconds" in query:
        since = now - int(query["sinceSeconds"])
    stream = query.get("stream", "All").lower()
    return LogOptions(
        follow=_read_flag(query, "follow"),
        previous=_read_flag(query, "previous"),
        timestamps=_read_flag(query, "timestamps"),
        tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
        limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None,
        since=since,
        streams=LogOptions().streams if stream == "all" else frozenset({stream}),
    )


def _read_flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "false") in {"true", "1", ""}


def choose_run(seen: ContainerSeen, pod: str, container: str, *, previous: bool) -> str:
    """The container ID of the run whose log is meant; raises `LogRefusedError`."""
    if previous:
        if seen.last is None or not seen.last.container_id:
            raise LogRefusedError(f'previous terminated container "{container}" in pod "{pod}" not found')
        return seen.last.container_id
    match seen.state, seen.last:
        case (Running(), _):
            return seen.container_id
        case (Terminated(container_id=container_id), _) | (_, Terminated(container_id=container_id)):
            if container_id:
                return container_id
            raise LogRefusedError(f'container "{container}" in pod "{pod}" is terminated')
    reason = seen.state.reason if isinstance(seen.state, Waiting) else ""
    why = _IMAGE_FAULTS.get(reason, reason)
    raise LogRefusedError(f'container "{container}" in pod "{pod}" is waiting to start: {why}')


def take_tail(lines: Iterable[bytes], options: LogOptions) -> Iterable[bytes]:
    """The last lines of the file, if no more are asked for."""
    return lines if options.tail_lines is None else deque(lines, maxlen=options.tail_lines)


@dataclass(slots=True)
class LogWriter:
    """Makes of lines of the log file what the caller gets.

    Attributes:
        is_done: the limit of bytes is used up.
    """

    options: LogOptions
    is_done: bool = False
    _written: int = 0
    _at_start: dict[str, bool] = field(default_factory=dict)

    def write(self, lines: Iterable[bytes]) -> bytes:
        """What the lines, each without its newline, become."""
        return b"".join(self._cut(text) for text in self._format(lines))

    def _format(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in map(parse_line, lines):
            if line is None or line.stream not in self.options.streams or self._is_early(line):
                continue
            begins = self._at_start.get(line.stream, True)
            self._at_start[line.stream] = not line.piece.partial
            prefix = f"{line.time} ".encode() if self.options.timestamps and begins else b""
            yield prefix + line.piece.content + (b"" if line.piece.partial else b"\n")

    def _is_early(self, line: CriLine) -> bool:
        return self.options.since is not None and from_rfc3339(line.time) < self.options.since

    def _cut(self, text: bytes) -> bytes:
        limit = self.options.limit_bytes
        if limit is None:
            return text
        text = text[: limit - self._written]
        self._written += len(text)
        self.is_done = self._written >= limit
        return text
