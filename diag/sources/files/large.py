"""Which files are so large, and so regular, that a session's lines are searched for among their bytes.

A file is regular if, wherever one looks into it, each line is an object with a time, and writes that time
in one of the forms by which the lines of a minute can be found.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diag.model.instants import NS_PER_S, format_instant
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.normalise.shapes import read_record
from diag.sources.files.content import holds_lines
from diag.sources.files.lines import read_lines
from diag.sources.files.pieces import DOCKER

_PLACES, _SAMPLE = 24, 64 << 10
_LINES_EACH = 6
_MOST_TEXTS = 8
_OBJECT = b"{"


@dataclass(frozen=True, slots=True)
class TimeForm:
    """A way in which a line writes its time.

    Attributes:
        write: the time, whatever comes behind the seconds left away.
        steps: how many characters of it stay the same for how many seconds, the finest first.
    """

    write: Callable[[int], str]
    steps: tuple[tuple[int, int], ...]

    def texts(self, window: Window) -> tuple[bytes, ...]:
        """What every line of `window` holds one of; they may lead to lines beside it, too.

        Of a window of many days that is what every line begins with: all are gone through.
        """
        for length, seconds in self.steps:
            step = seconds * NS_PER_S
            starts = range(window.start_ns - window.start_ns % step, window.end_ns, step)
            if len(starts) <= _MOST_TEXTS:
                return tuple(self.write(start)[:length].encode() for start in starts)
        return (_OBJECT,)


_CALENDAR = ((16, 60), (15, 600), (13, 3600), (10, 86_400))
_FORMS = (
    TimeForm(format_instant, _CALENDAR),
    TimeForm(lambda ns: format_instant(ns).replace("T", " "), _CALENDAR),
    TimeForm(lambda ns: str(ns // NS_PER_S), ((8, 100), (7, 1000), (6, 10_000), (5, 100_000))),
)


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file whose lines are searched.

    Attributes:
        shown: its name as references give it.
        span: the times that were seen where one looked into it.
    """

    name: str
    shown: str
    size: int
    form: TimeForm
    span: Window


def look_into(name: str, shown: str) -> LargeFile | None:
    """The file, if it is regular; None where it has to be read as a whole. Raises `OSError`."""
    with Path(name).open("rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or not holds_lines(stream.read(_SAMPLE)):
            return None
        samples = [line for at in _spread(status.st_size) for line in _lines_at(stream.fileno(), at)]
    times = [_time_of(line) for line in samples]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times):
        return None
    form = _find_form(samples, known)
    if form is None:
        return None
    return LargeFile(name, shown, status.st_size, form, Window(min(known), max(known) + 1))


def _spread(size: int) -> Iterator[int]:
    """Where to look, from the beginning to the end."""
    last = max(0, size - _SAMPLE)
    return (last * place // (_PLACES - 1) for place in range(_PLACES))


def _lines_at(file: int, at: int) -> Sequence[bytes]:
    """The last whole lines of a sample: those of the file's end are there, too."""
    lines = os.pread(file, _SAMPLE, at).split(b"\n")[0 if at == 0 else 1 : -1]
    return [line for line in (*lines[:1], *lines[-_LINES_EACH:]) if line.strip()]


def _time_of(line: bytes) -> int | None:
    """None where it is no object with a time of its own, or may be a piece of a line."""
    if not line.startswith(_OBJECT) or line.startswith(DOCKER):
        return None
    record: LogRecord = next(iter(read_lines(line, "")))
    draft = read_record(record)
    return None if isinstance(record.data, str) or draft.unparsed or draft.continues else draft.time_ns


def _find_form(lines: Sequence[bytes], times: Sequence[int]) -> TimeForm | None:
    for form in _FORMS:
        length = form.steps[0][0]
        if all(form.write(time)[:length].encode() in line for line, time in zip(lines, times, strict=True)):
            return form
    return None
