"""Random log files: lines of every form that users have, spoiled, mixed, packed and cut.

Each line carries a mark of its own. What must hold: no exception but the one for what is no log; every mark
that was not destroyed comes out in a record, or a problem tells that something is missing; a row for every
record; the time is bounded.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable
from random import Random

from diag.catalogue import load_catalogue
from diag.errors import DataError
from diag.normalise import join_frames, to_entry, to_frame
from diag.sources.files.content import Content, read_content
from tests.cases import to_entry as to_log_entry

LONGEST_S = 10.0
"""For one file of some kilobytes, also where eight others share the machine."""

_STAMP = "2025-07-27T11:26:41.372Z"
_FORMS: tuple[Callable[[str], str], ...] = (
    lambda mark: json.dumps(to_log_entry(f"00:01.000 media-server info {mark} :: sessionID=s", 1)),
    lambda mark: json.dumps({"level": "info", "msg": mark, "time": _STAMP}),
    lambda mark: json.dumps({"log": mark + "\n", "stream": "stderr", "time": _STAMP}),
    lambda mark: json.dumps({"message": mark, "kubernetes": {"pod_name": "p", "container_name": "c"}}),
    lambda mark: f"{_STAMP} stdout F {mark}",
    lambda mark: f'{_STAMP} stderr F {{"msg": "{mark}"}}',
    lambda mark: f"[pod/media-server-1/media-server] {_STAMP} {mark}",
    lambda mark: f"E0727 11:26:41.372000       1 server.go:42] {mark}",
    lambda mark: f'time="{_STAMP}" level=error msg="{mark}" sessionID=s',
    lambda mark: f"2025-07-27 11:26:41,372 - app - ERROR - {mark}",
    lambda mark: f"<34>Jul 27 11:26:41 host app[1]: {mark}",
    lambda mark: f"    at handle (/app/{mark}.ts:1:2)",
    lambda mark: f"plain {mark}",
    lambda mark: f"{mark}: {{not json",
)
_NOISE = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m", b"\r", b"\t", b'"', b"\\", b"{", b"}", b"[", b"]", b",",
    b"\xe2\x80\xa8", b"null", b"NaN", b"1e999", b"\\u0000", b"\\ud800", b"<34>", b"F ", b"P ", b"%00",
)  # fmt: skip


def run_file_case(seed: int, number: int) -> str:
    """Run one case and say how it went: ``kept``, ``kept in part, said``, ``no log``."""
    random = Random(f"files/{seed}/{number}")
    data, marks = make_file(random)
    began = time.perf_counter()
    try:
        content = read_content(data, "f.log")
    except DataError:
        return "no log"
    said = _check_kept(content, marks)
    _check_rows(content)
    assert time.perf_counter() - began < LONGEST_S
    return said


def make_file(random: Random) -> tuple[bytes, list[str]]:
    """The bytes, and the marks that stand in them unharmed."""
    marks = [f"mark{number:04d}x{random.randrange(10**6):06d}" for number in range(random.randint(1, 30))]
    forms = random.sample(_FORMS, random.choice((1, 1, 1, 2, 4)))
    lines = [_spoil(random.choice(forms)(mark).encode(), random) for mark in marks]
    end = random.choice((b"\n", b"\n", b"\r\n"))
    data = random.choice((b"", b"", b"\xef\xbb\xbf", b"\n\n")) + end.join(lines) + random.choice((end, b""))
    if random.random() < 0.05:
        data = data.replace(b"plain", b"plain" * 20_000)
    if random.random() < 0.2:
        data = gzip.compress(data, 1)
        data = data[: random.randint(1, len(data))] if random.random() < 0.5 else data
    whole = _unpacked(data)
    if whole[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data, []  # it says that it is UTF-16, and is read as such
    return data, [mark for mark in marks if mark.encode() in whole]


def _unpacked(data: bytes) -> bytes:
    """As far as it goes."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data)
    except zlib.error:
        return b""


def _spoil(line: bytes, random: Random) -> bytes:
    if random.random() < 0.6:
        return line
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(line))
        to = min(len(line), at + random.choice((0, 0, 0, 1, 5)))
        line = line[:at] + random.choice(_NOISE) + line[to:]
    return line


def _check_kept(content: Content, marks: list[str]) -> str:
    """Every mark that is whole stands in a record."""
    held = "\n".join(
        record.data if isinstance(record.data, str) else json.dumps(record.data, ensure_ascii=False)
        for record in content.records
    )
    lost = [mark for mark in marks if mark not in held]
    assert not lost or content.cut or content.problems, f"lost without a word: {lost}"
    return "kept in part, said" if lost else "kept"


def _check_rows(content: Content) -> None:
    """A row for every record, each once in the end; any of them can be filtered."""
    frame = to_frame(content.records, load_catalogue())
    assert frame.height == len(content.records)
    assert join_frames([frame]).height <= frame.height
    for record in content.records[:3]:
        assert isinstance(to_entry(record), dict)
