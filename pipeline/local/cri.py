"""The log files of containers, as the container runtime writes them and the log agent reads them.

A line is ``<time> <stream> <tag> <content>``, the tag ``F`` for a full line and ``P`` for a piece of
one (Kubernetes, "CRI log format"). containerd cuts after 16 KiB of content; a rest without a newline
at the end of a stream is a piece too. The file of a container's n-th restart is
``<root>/<namespace>_<pod>_<uid>/<container>/<n>.log``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.local.pods import Pod

PIECE_BYTES = 16 * 1024

_LINE = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
    rb"(?P<stream>stdout|stderr) (?P<tag>[FP])(?::\S*)? (?P<content>.*)",
    re.DOTALL,
)
_FOLDER = re.compile(r"(?P<namespace>[^_]+)_(?P<pod>[^_]+)_(?P<uid>[^_]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or one piece of a line that was cut (`partial`: more of it may follow)."""

    content: bytes
    partial: bool = False


@dataclass(frozen=True, slots=True)
class CriLine:
    """One line of a log file. `time` is RFC 3339 as written, with up to nine digits."""

    time: str
    stream: str
    piece: Piece


class PieceSplitter:
    """Cuts one stream of bytes into the pieces that become lines of the log file."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that `data` completes."""
        *lines, rest = (self._rest + data).split(b"\n")
        pieces = [piece for line in lines for piece in _cut(line)]
        *full, last = _cut(rest)
        self._rest = last.content
        return pieces + full

    def finish(self) -> list[Piece]:
        """The rest of a stream that has ended without a newline."""
        rest, self._rest = self._rest, b""
        return [Piece(rest, partial=True)] if rest else []


def _cut(line: bytes) -> list[Piece]:
    """Pieces of at most `PIECE_BYTES`, the last one full: never none, for an empty line is a line."""
    cuts = range(0, max(len(line), 1), PIECE_BYTES)
    return [Piece(line[at : at + PIECE_BYTES], partial=at != cuts[-1]) for at in cuts]


def format_line(time_ns: int, stream: str, piece: Piece) -> bytes:
    """One line of the file, newline included; `time_ns` is when the piece arrived."""
    tag = "P" if piece.partial else "F"
    return f"{format_time(time_ns)} {stream} {tag} ".encode() + piece.content + b"\n"


def parse_line(line: bytes) -> CriLine | None:
    """The parts of one line without its newline; None where it has not the form."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    piece = Piece(match["content"], partial=match["tag"] == b"P")
    return CriLine(match["time"].decode(), match["stream"].decode(), piece)


def format_time(time_ns: int) -> str:
    """RFC 3339 in UTC with all nine digits, as the runtime writes it."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def log_path(root: Path, pod: Pod, restart: int) -> Path:
    """The file of one run of the pod's container."""
    return root / pod_folder(pod.namespace, pod.name, pod.uid) / pod.container / f"{restart}.log"


def pod_folder(namespace: str, name: str, uid: str) -> str:
    """The name of the folder that has the logs of all containers of a pod."""
    return f"{namespace}_{name}_{uid}"


def read_pod(path: Path) -> Pod | None:
    """The pod whose container wrote the log file `path`; None where the path has not the form."""
    match = _FOLDER.fullmatch(path.parent.parent.name)
    if match is None or not path.stem.isdecimal() or path.suffix != ".log":
        return None
    return Pod(match["namespace"], match["pod"], match["uid"], path.parent.name)
