"""Random log files: lines, arrays, tables and answers of log stores, spoiled, mixed, packed and cut.

Each line carries a mark of its own. What must hold: no exception but the one for what is no log; every mark
that was not destroyed comes out in a record, or a problem tells that something is missing; a row for every
record; the time is bounded.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple

from diag.catalogue import load_catalogue
from diag.errors import DataError
from diag.model.records import LogRecord
from diag.normalise import join_frames, to_entry, to_frame
from diag.sources.files.content import Content, read_content
from tests.fuzz.log_lines import FORMS, STAMP, spoil, to_kibana_hit, to_log_entry
from tests.fuzz.packings import pack

LONGEST_S = 10.0
"""Of the processor, for one file of some kilobytes: others may share the machine."""
TOGETHER = 50
"""Files whose rows are made at once: as many frames of their own cost twice what all else does."""


class Read(NamedTuple):
    """A case that was read: how it went, and its records."""

    said: str
    records: Sequence[LogRecord] = ()


def run_file_case(seed: int, number: int) -> str:
    """Run one case and say how it went: ``kept``, ``kept in part, said``, ``no log``."""
    read = _read(seed, number)
    _check_rows([read.records])
    return read.said


def count_file_cases(seed: int, numbers: Iterable[int]) -> Counter[str]:
    """How many went which way, some files' rows at once; raises `AssertionError` or whatever else comes out."""
    together = [_read(seed, number) for number in numbers]
    _check_rows([read.records for read in together])
    return Counter(read.said for read in together)


def _read(seed: int, number: int) -> Read:
    random = Random(f"files/{seed}/{number}")
    data, marks = make_file(random)
    began = time.process_time()
    try:
        content = read_content(data, f"{number}.log")
    except DataError as error:
        return _check_refusal(error)
    assert time.process_time() - began < LONGEST_S
    return Read(_check_kept(content, marks), content.records)


def _check_refusal(error: DataError) -> Read:
    assert error.hint, str(error)
    return Read("no log")


def make_file(random: Random) -> tuple[bytes, list[str]]:
    """The bytes, and the marks that stand in them unharmed."""
    marks = [f"mark{number:04d}x{random.randrange(10**6):06d}" for number in range(random.randint(1, 30))]
    data = _make_lines(marks, random) if random.random() < 0.7 else _make_document(marks, random)
    if random.random() < 0.05:
        data = data.replace(b"plain", b"plain" * 20_000)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        marks = []  # it says that it is UTF-16, and is read as such
    data, whole = pack(data, random) if random.random() < 0.3 else (data, data)
    return data, [mark for mark in marks if mark.encode() in whole]


def _make_lines(marks: Sequence[str], random: Random) -> bytes:
    forms = random.sample(FORMS, random.choice((1, 1, 1, 2, 4)))
    lines = [spoil(random.choice(forms)(mark).encode(), random) for mark in marks]
    end = random.choice((b"\n", b"\n", b"\r\n"))
    return random.choice((b"", b"", b"\xef\xbb\xbf", b"\n\n")) + end.join(lines) + random.choice((end, b""))


def _make_document(marks: Sequence[str], random: Random) -> bytes:
    """All lines in one whole, which noise hits here and there, and an early end."""
    data = random.choice(_DOCUMENTS)(marks).encode()
    for _ in range(random.choice((0, 0, 1, 2, 3))):
        at = random.randint(0, len(data))
        data = data[:at] + spoil(data[at : at + 40], random) + data[at + 40 :]
    return data[: random.randint(1, len(data))] if random.random() < 0.2 else data


_DOCUMENTS: tuple[Callable[[Sequence[str]], str], ...] = (
    lambda marks: json.dumps([to_log_entry(mark) for mark in marks], indent=2),
    lambda marks: json.dumps([to_log_entry(mark) for mark in marks]),
    lambda marks: "WARNING: some are left out\n" + json.dumps([to_log_entry(mark) for mark in marks]),
    lambda marks: "\n".join(json.dumps(to_log_entry(mark), indent=2) for mark in marks),
    lambda marks: json.dumps({"entries": [to_log_entry(mark) for mark in marks], "nextPageToken": "t"}),
    lambda marks: json.dumps({"took": 3, "hits": {"hits": [to_kibana_hit(mark) for mark in marks]}}),
    lambda marks: json.dumps(
        {"streams": [{"stream": {"app": "tts"}, "values": [["1753615601372000000", mark] for mark in marks]}]}
    ),
    lambda marks: "timestamp,severity,textPayload\n" + "\n".join(f"{STAMP},INFO,{mark}" for mark in marks),
    lambda marks: (
        "insertId,jsonPayload.message,timestamp\n"
        + "\n".join(f'{mark[4:]},"{mark}, said",{STAMP}' for mark in marks)
    ),
)


def _check_kept(content: Content, marks: Sequence[str]) -> str:
    """Every mark that is whole stands in a record."""
    held = "\n".join(
        record.data if isinstance(record.data, str) else json.dumps(record.data, ensure_ascii=False)
        for record in content.records
    )
    lost = [mark for mark in marks if mark not in held]
    assert not lost or content.cut or content.problems, f"lost without a word: {lost}"
    return "kept in part, said" if lost else "kept"


def _check_rows(files: Iterable[Sequence[LogRecord]]) -> None:
    """A row for every record, each once in the end; any of them can be filtered."""
    read, began = [record for records in files for record in records], time.process_time()
    frame = to_frame(read, load_catalogue())
    assert frame.height == len(read)
    assert join_frames([frame]).height <= frame.height
    assert time.process_time() - began < LONGEST_S
    for records in files:
        for record in records[:3]:
            assert isinstance(to_entry(record), dict)
