"""Where the fixed parts of messages stand: one pass over each file for all of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from diag.code.files import is_test
from diag.code.outlines import Outlines
from diag.model.code import LogText

SHORTEST = 6
"""Letters of the longest part; less stands everywhere."""

_ANCHOR = 60
"""Characters that are looked for at first; the automaton grows with them."""

_HEAD = 8
"""Characters that stand together in a message of several literals."""

_QUOTES = b"\"'`"
_AROUND = 2
_MOST_HITS = 200
_MOST_MEMORY = 64 << 20


class Lines:
    """Where the lines of a text begin."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(rb"\n", self.content))]

    def number(self, offset: int) -> int:
        """The line, from 1, that holds this byte."""
        return bisect_right(self._starts, offset)

    def text(self, number: int) -> str:
        """A line without white space around it."""
        return self.around(number, 0).strip()

    def around(self, number: int, more: int) -> str:
        """A line, and so many before and after it."""
        first = self._starts[max(0, number - 1 - more)]
        last = number + more
        end = self._starts[last] if last < len(self._starts) else len(self.content)
        return self.content[first:end].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Hit:
    """One place of one message.

    Attributes:
        whole: quotation marks stand right around it.
    """

    log: LogText
    path: str
    line: int
    whole: bool


def find_literals(files: Mapping[str, bytes], logs: Iterable[LogText]) -> Iterator[Hit]:
    """Every place of every message that is long enough, at most `_MOST_HITS` of each."""
    by_anchor: dict[bytes, list[LogText]] = {}
    for log in logs:
        if sum(char.isalpha() for char in log.longest) >= SHORTEST:
            by_anchor.setdefault(log.longest[:_ANCHOR].encode(), []).append(log)
    if not by_anchor:
        return
    pattern, counts = _compile(by_anchor), dict.fromkeys(by_anchor, 0)
    for path, content in files.items():
        lines = Lines(content)
        for match in pattern.finditer(content):
            anchor = match[0]
            counts[anchor] += 1
            if counts[anchor] <= _MOST_HITS:
                yield from _verify(by_anchor[anchor], path, lines, match.start())


def find_joined(files: Mapping[str, bytes], logs: Iterable[LogText], outlines: Outlines) -> Iterator[Hit]:
    """The places in Python where a message is put together of several literals, line by line."""
    by_head: dict[bytes, list[LogText]] = {}
    for log in logs:
        if len(log.longest) > _HEAD:
            by_head.setdefault(log.longest[:_HEAD].encode(), []).append(log)
    pattern = _compile(by_head) if by_head else None
    for path, content in files.items():
        if pattern is None or not path.endswith(".py") or is_test(path):
            continue
        lines = Lines(content)
        for match in pattern.finditer(content):
            number = lines.number(match.start())
            held = outlines.of(path).strings.get(number, ())
            for log in by_head[match[0]]:
                if any(_in_order(log.pieces, text) for text in held):
                    yield Hit(log, path, number, any(log.longest == text for text in held))


def _compile(anchors: Iterable[bytes]) -> re.Pattern[bytes]:
    """One automaton for all, however many; of two that begin alike the longer one."""
    import re2  # noqa: PLC0415  the module is not free, and few ask for code

    options = re2.Options()
    options.longest_match, options.max_mem, options.log_errors = True, _MOST_MEMORY, False
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are looked for in bytes
    pattern: re.Pattern[bytes] = re2.compile(b"|".join(map(re2.escape, sorted(anchors))), options)
    return pattern


def _verify(logs: Iterable[LogText], path: str, lines: Lines, start: int) -> Iterator[Hit]:
    number, content = lines.number(start), lines.content
    for log in logs:
        text = log.longest.encode()
        end = start + len(text)
        if not content.startswith(text, start):
            continue
        if len(log.pieces) == 1:
            before, after = content[start - 1 : start], content[end : end + 1]
            yield Hit(log, path, number, bool(before) and before in _QUOTES and before == after)
        elif _in_order(log.pieces, lines.around(number, _AROUND)):
            yield Hit(log, path, number, whole=False)


def _in_order(pieces: Iterable[str], text: str) -> bool:
    """Whether all parts of a message stand in `text`, one behind the other."""
    place = 0
    for piece in pieces:
        found = text.find(piece.strip(), place)
        if found < 0:
            return False
        place = found + len(piece.strip())
    return True
