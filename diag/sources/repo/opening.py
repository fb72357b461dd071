"""Where a repository keeps its objects and what its head is, read as plain files.

``git`` would read the repository's own configuration on the way, and that may name programs to run.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from diag.errors import SourceError

_MOST_BYTES = 64 * 1024 * 1024
_MOST_REF_DEPTH = 5
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")
_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository that can be read.

    Attributes:
        root: the folder of its files; None for a bare one.
        git_dir: what is of this folder alone: head and index.
        common_dir: what its other folders (``git worktree``) share: objects and refs.
        head: the hash that its head names.
        branch: empty where the head is detached.
    """

    root: Path | None
    git_dir: Path
    common_dir: Path
    head: str
    branch: str

    @property
    def shallow_file(self) -> Path | None:
        """What tells where history was cut; None where it is whole."""
        path = self.common_dir / "shallow"
        return path if path.is_file() else None


def open_repository(path: str) -> Opened:
    """The repository at `path`, or that which `path` is a folder of; raises `SourceError`."""
    start = Path(path)
    try:
        if not start.is_dir():
            what = "is a file, no repository" if start.exists() else "no such folder"
            raise SourceError(f"{path}: {what}", hint="check --repo")
        start = start.resolve()
        root, git_dir = _find(start)
        common_dir = _find_common(git_dir)
        head, branch = _read_head(git_dir, common_dir)
    except (OSError, ValueError) as error:
        raise _cannot(path, error) from error
    return Opened(root, git_dir, common_dir, head, branch)


def _cannot(path: str, error: Exception) -> SourceError:
    """`path` can not be read; a name with a null byte is a `ValueError`."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SourceError(f"{path}: {why}", hint="check --repo, and who may read there")


def _find(start: Path) -> tuple[Path | None, Path]:
    """The nearest folder upwards that has a ``.git``, or is itself one."""
    for folder in (start, *start.parents):
        inner = folder / ".git"
        if inner.is_file():
            return folder, _follow(inner)
        if _is_git_dir(inner):
            return folder, inner
        if _is_git_dir(folder):
            return None, folder
    raise ValueError("no git repository, and in none")


def _follow(file: Path) -> Path:
    """A ``.git`` file names the folder: of ``git worktree``, or a submodule's."""
    word, _, named = read_small(file).partition(": ")
    git_dir = file.parent / named.rstrip("\n")
    if word != "gitdir" or not (git_dir / "HEAD").is_file():
        raise ValueError("its .git is a file that leads to no repository")
    return git_dir


def _is_git_dir(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _find_common(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    return git_dir / read_small(pointer).rstrip("\n") if pointer.is_file() else git_dir


def _read_head(git_dir: Path, common_dir: Path) -> tuple[str, str]:
    """The hash and the branch; raises `ValueError` where the head leads to no commit."""
    text = read_small(git_dir / "HEAD").strip()
    branch = ""
    for _ in range(_MOST_REF_DEPTH):
        if _HASH.fullmatch(text):
            return text, branch
        word, _, ref = text.partition("ref: ")
        if word or not _REF.fullmatch(ref) or ".." in ref:
            break
        branch = ref.removeprefix(_BRANCHES) if ref.startswith(_BRANCHES) else ref
        text = _read_ref(ref, git_dir, common_dir)
    raise ValueError("its head names no commit: nothing was committed, or its refs are in a form that "
                     "diag does not read")  # fmt: skip


def _read_ref(ref: str, git_dir: Path, common_dir: Path) -> str:
    for folder in (git_dir, common_dir):
        if (folder / ref).is_file():
            return read_small(folder / ref).strip()
    packed = common_dir / "packed-refs"
    lines = read_small(packed).splitlines() if packed.is_file() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {ref}")), "")


def read_small(path: Path) -> str:
    """A file of git's own; raises `ValueError` for one that is no file, or too large to be one."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path.name} is no file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{path.name} is too large")
    return content.decode("utf-8", "surrogateescape")
