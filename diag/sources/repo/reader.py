"""A repository, from a path to facts: first its head, then its files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from diag.errors import SourceError
from diag.model.code import CodeFacts, Commit, FileFact
from diag.model.instants import NS_PER_S
from diag.normalise.redaction import redact_text
from diag.sources.repo.opening import Opened, open_repository
from diag.sources.repo.program import Git, Limits, open_git
from diag.sources.repo.tree import Texts, Tree, list_tree, read_texts

_FORM = "--format=%H%x00%ct%x00%s"
_MOST_COMMITS = 2_000
_MARK = "\x01"
_HEAD = re.compile("\x01([0-9a-f]{40,64})")


class Repository:
    """A repository that is open for reading; everything may raise `SourceError`."""

    def __init__(self, opened: Opened, git: Git) -> None:
        self._opened, self._git = opened, git

    def read_head(self) -> CodeFacts:
        """The commit, and how it stands."""
        return CodeFacts(
            commit=_to_commit(self._git.ask("log", "-1", _FORM, "HEAD", "--")),
            branch=redact_text(self._opened.branch),
            bare=self._opened.root is None,
            shallow=self._opened.shallow_file is not None,
        )

    def count_changed(self) -> int | None:
        """Tracked files that differ from the commit; None for a bare repository."""
        if self._opened.root is None:
            return None
        told = self._git.ask(
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--ignore-submodules=all",
            "--no-renames",
        )
        return sum(bool(row) for row in told.split(b"\0"))

    def count_files(self) -> int:
        """Files of the commit, whatever is in them."""
        return len(list_tree(self._git).blobs)

    def read_files(self) -> tuple[Tree, Texts]:
        """What the commit holds; submodules and links are named and not followed."""
        tree = list_tree(self._git)
        return tree, read_texts(self._git, tree.blobs)

    def read_history(self, tree: Tree, paths: Iterable[str]) -> tuple[FileFact, ...]:
        """The blob of each of `paths`, empty for none, and the last of the latest commits that touched it."""
        blobs = {blob.path: blob.hash for blob in tree.blobs}
        paths = sorted(set(paths))
        wanted = [path for path in paths if path in blobs]
        if not wanted:
            return tuple(FileFact(path, "") for path in paths)
        told = self._git.ask(
            "log", "-z", "--name-only", "--no-renames", f"--max-count={_MOST_COMMITS}",
            f"--format={_MARK}%H", "HEAD", "--", *wanted,
        )  # fmt: skip
        last = _find_last(told.decode("utf-8", "backslashreplace"))
        commits = self._read_commits(set(last.values()))
        return tuple(FileFact(path, blobs.get(path, ""), commits.get(last.get(path, ""))) for path in paths)

    def _read_commits(self, names: Collection[str]) -> dict[str, Commit]:
        """The commits of these hashes."""
        if not names:
            return {}
        told = self._git.ask("log", "-z", "--no-walk=unsorted", _FORM, "--stdin", stdin=_to_lines(names))
        fields = told.split(b"\0")
        rows = zip(*[iter(fields)] * 3, strict=False)
        return {commit.hash: commit for commit in (_to_commit(b"\0".join(row)) for row in rows)}


def _to_lines(names: Collection[str]) -> bytes:
    return "".join(f"{name}\n" for name in sorted(names)).encode()


def _find_last(told: str) -> dict[str, str]:
    """Path -> the hash of the newest commit that names it; what stands in a subject is not among it."""
    found: dict[str, str] = {}
    commit = ""
    for part in told.split("\0"):
        path = part.removeprefix("\n")
        head = _HEAD.fullmatch(path)
        if head is not None:
            commit = head[1]
        elif path:
            found.setdefault(path, commit)
    return found


def _to_commit(told: bytes) -> Commit:
    name, _, rest = told.decode("utf-8", "replace").partition("\0")
    seconds, _, subject = rest.partition("\0")
    if not seconds.isdecimal():
        raise SourceError("git: the commit can not be read", hint="check the repository: git fsck")
    return Commit(name, int(seconds) * NS_PER_S, redact_text(subject.rstrip("\n")))


@contextmanager
def read_repository(path: str, limits: Limits) -> Iterator[Repository]:
    """The repository at `path`; raises `SourceError`."""
    opened = open_repository(path)
    with open_git(opened, limits) as git:
        yield Repository(opened, git)
