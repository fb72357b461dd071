"""The files of a commit: their names, sizes and blobs, and the text of those that are text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diag.errors import SourceError
from diag.sources.repo.program import Git

MOST_FILES = 50_000
LARGEST_FILE = 1_000_000
MOST_TEXT = 64_000_000
"""Bytes of all files together that are held and looked through."""

_FILE, _SUBMODULE, _LINK = "100", "160000", "120000"
_SNIFFED = 8_000
_HEAD = re.compile(rb"[0-9a-f]+ blob (\d+)\n")
"""Before each content."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of the commit."""

    path: str
    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree:
    """All files of a commit, and what beside files stands in it.

    Attributes:
        submodules: other repositories, which are not entered.
        links: symbolic links, which are not followed.
        cut: there are more than `MOST_FILES`.
        missing: files whose blob is not there, as in a partial clone.
    """

    blobs: tuple[Blob, ...]
    submodules: tuple[str, ...]
    links: int
    cut: bool
    missing: int = 0


def list_tree(git: Git) -> Tree:
    """The tree of the head; raises `SourceError`."""
    listed = git.ask("ls-tree", "-r", "-z", "-l", "--full-tree", "HEAD").split(b"\0")
    rows = [_parse(row) for row in listed if row]
    files = [(path, name, size) for mode, name, size, path in rows if mode.startswith(_FILE)]
    blobs = [Blob(path, name, int(size)) for path, name, size in files if size.isdecimal()]
    return Tree(
        blobs=tuple(blobs[:MOST_FILES]),
        submodules=tuple(path for mode, _, _, path in rows if mode == _SUBMODULE),
        links=sum(mode == _LINK for mode, *_ in rows),
        cut=len(blobs) > MOST_FILES,
        missing=len(files) - len(blobs),
    )


def _parse(row: bytes) -> tuple[str, str, str, str]:
    """Mode, hash, size and path."""
    head, _, path = row.partition(b"\t")
    mode, _, name, size = head.decode("ascii").split()
    return mode, name, size, path.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Texts:
    """What the files that are text hold, as bytes, and how many files were left out, by reason."""

    by_path: dict[str, bytes]
    binary: int = 0
    large: int = 0
    beyond: int = 0


def read_texts(git: Git, blobs: Sequence[Blob]) -> Texts:
    """The content of the files that are text; of too many, the small ones. Raises `SourceError`."""
    fit = [blob for blob in blobs if blob.size <= LARGEST_FILE]
    chosen = list(_within(MOST_TEXT, sorted(fit, key=lambda blob: (blob.size, blob.path))))
    contents = dict(_read(git, chosen))
    texts = {path: text for path, text in sorted(contents.items()) if b"\0" not in text[:_SNIFFED]}
    return Texts(texts, len(contents) - len(texts), len(blobs) - len(fit), len(fit) - len(chosen))


def _within(most: int, blobs: Iterable[Blob]) -> Iterator[Blob]:
    left = most
    for blob in blobs:
        left -= blob.size
        if left < 0:
            return
        yield blob


def _read(git: Git, blobs: Sequence[Blob]) -> Iterator[tuple[str, bytes]]:
    """Each path with its content, in one run of git."""
    if not blobs:
        return
    asked = "".join(f"{blob.hash}\n" for blob in blobs).encode()
    answer = git.ask("cat-file", "--batch", "--buffer", stdin=asked)
    place = 0
    for blob in blobs:
        head = _HEAD.match(answer, place)
        end = head.end() + int(head[1]) if head else -1
        if head is None or answer[end : end + 1] != b"\n":  # of a broken object git gives what it has
            raise SourceError(f"git: {blob.path} can not be read", hint="check the repository: git fsck")
        yield blob.path, answer[head.end() : end]
        place = end + 1
