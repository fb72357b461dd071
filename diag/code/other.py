"""Other languages by their text: what looks like a function, and what looks like a call. Never a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from diag.code.outline import Defined, Of, Outline, Used
from diag.model.code import Means

_FUNCTIONS = {
    # nothing is given back: a receiver without an end would be tried in every way there is
    ".go": rb"^func\s++(?:\(\s*+(?:\w++\s*+(?=[*\w]))?+\*?\s*+(?P<owner>\w++)[^)]*+\)\s*+)?"
    rb"(?P<name>\w++)\s*[\[(]",
    ".js": rb"^[ \t]*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*(?P<name>\w+)\s*\(|"
    rb"^[ \t]*(?:export\s+)?(?:const|let)\s+(?P<arrow>\w+)\s*=\s*(?:async\s*)?(?:function\b|\([^\n]*=>)",
    ".rs": rb"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?(?:unsafe\s+)?fn\s+(?P<name>\w+)",
    ".rb": rb"^[ \t]*def\s+(?:self\.)?(?P<name>\w+)",
    ".php": rb"^[ \t]*(?:(?:public|private|protected|static)\s+)*function\s+(?P<name>\w+)",
}
_PATTERNS = {suffix: re.compile(pattern, re.MULTILINE) for suffix, pattern in _FUNCTIONS.items()}
_LIKE = {".ts": ".js", ".tsx": ".js", ".jsx": ".js", ".mjs": ".js", ".vue": ".js"}
_USED = re.compile(rb"\b([A-Za-z_]\w*)\s*(?=[(),])")  # called, or handed on as an argument
_COMMENT = re.compile(rb"^\s*(?://|/\*|\*|#)")
_GO_ENTRIES = ("main", "init")


def outline_text(path: str, content: bytes) -> Outline:
    """The outline of a file by its text; a function lasts until the next one begins."""
    suffix = PurePosixPath(path).suffix.lower()
    pattern = _PATTERNS.get(_LIKE.get(suffix, suffix))
    if pattern is None:
        return Outline(Means.TEXT)
    starts = list(_starts(pattern, content))
    total = content.count(b"\n") + 1
    ends = [*(line - 1 for _, line in starts[1:]), total]
    functions = tuple(
        Defined(name, line, last, "the language calls it by itself" if _is_entry(suffix, name) else "")
        for (name, line), last in zip(starts, ends, strict=False)
    )
    return Outline(Means.TEXT, functions, tuple(_uses(content, {one.line: one.bare for one in functions})))


def _starts(pattern: re.Pattern[bytes], content: bytes) -> Iterator[tuple[str, int]]:
    """The name of each function, with its receiver's type, and its line."""
    line, place = 1, 0
    for match in pattern.finditer(content):
        line += content.count(b"\n", place, match.start())
        place = match.start()
        found = {key: value.decode("ascii", "replace") for key, value in match.groupdict().items() if value}
        name = found.get("name") or found.get("arrow", "")
        yield f"{found['owner']}.{name}" if "owner" in found else name, line


def _is_entry(suffix: str, name: str) -> bool:
    return suffix == ".go" and name in _GO_ENTRIES


def _uses(content: bytes, defined: dict[int, str]) -> Iterator[Used]:
    """Names outside of comments; where a function begins its own name is no use of it."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if not is_comment(line):
            for match in _USED.finditer(line):
                name = match[1].decode("ascii", "replace")
                if defined.get(number) != name:
                    of_something = line[match.start() - 1 : match.start()] == b"."
                    yield Used(name, number, Of.SOMETHING if of_something else Of.NOTHING)


def is_comment(line: bytes) -> bool:
    """Whether a line of code is a remark from its first character on."""
    return _COMMENT.match(line) is not None
