"""The ``git`` program, for reading alone, in a git folder of our own.

A repository's configuration may name programs: a file system monitor, hooks, filters, external diffs,
a pager, a helper that fetches what is missing. None of it is ever read. ``git`` is given an empty folder
with a configuration of ours, and from the repository only its objects and, for the state of its files, its
index. So nothing of it can run, whatever git's version knows to run.
"""

from __future__ import annotations

import os
import resource
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from diag.errors import SourceError
from diag.sources.repo.opening import Opened, read_small

MOST_BYTES = 128 * 1024 * 1024
"""Of one answer."""

_MOST_MEMORY = 1 << 30
"""Bytes that git may take, files that it maps aside."""

_SLICE_S = 0.1
_CHUNK = 1 << 16
_LONGEST_ERROR = 200
_SHA256 = 64
_CONFIG = "[core]\n\trepositoryformatversion = {version}\n\tfileMode = false\n\tbare = false\n{more}"


class TooMuchError(SourceError):
    """An answer that is larger, or takes longer, than is reasonable."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: at `deadline` (`time.monotonic`), or when somebody says so."""

    deadline: float
    stopped: Event = field(default_factory=Event)

    def check(self) -> None:
        """Raise `TooMuchError` if it is time."""
        if self.stopped.is_set():
            raise TooMuchError("interrupted (Ctrl-C)")
        if time.monotonic() > self.deadline:
            raise TooMuchError("the time for it is over", hint="raise repo.timeout_s")


@contextmanager
def open_git(repository: Opened, limits: Limits) -> Iterator[Git]:
    """A `Git` over the repository's objects; raises `SourceError` where git is missing."""
    program = _find_program(repository)
    try:
        with tempfile.TemporaryDirectory(prefix="diag-git-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            _prepare(folder, repository)
            yield Git(program, folder, repository, limits)
    except OSError as error:
        raise SourceError(f"git can not be used: {error.strerror or error}", hint="set TMPDIR") from error


def _find_program(repository: Opened) -> str:
    """Git's own path; one that lies in the repository is not it."""
    folders = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(one).is_absolute()]
    program = shutil.which("git", path=os.pathsep.join(folders))
    if program is None:
        raise SourceError("git is not installed", hint="install git")
    if repository.root is not None and Path(program).resolve().is_relative_to(repository.root):
        raise SourceError("the git that is found lies in the repository itself", hint="check PATH")
    return program


def _prepare(folder: Path, repository: Opened) -> None:
    """What git needs to take a folder for its own."""
    is_sha256 = len(repository.head) == _SHA256
    more = "[extensions]\n\tobjectFormat = sha256\n" if is_sha256 else ""
    (folder / "refs").mkdir()
    (folder / "HEAD").write_text(f"{repository.head}\n")
    (folder / "config").write_text(_CONFIG.format(version=int(is_sha256), more=more))
    if repository.shallow_file is not None:
        (folder / "shallow").write_text(read_small(repository.shallow_file), "utf-8", "surrogateescape")


class Git:
    """Commands that read; each gives all of its answer, or raises `SourceError`."""

    def __init__(self, program: str, folder: Path, repository: Opened, limits: Limits) -> None:
        self._program, self._folder, self._limits = program, folder, limits
        self._environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "LC_ALL": "C",
            "GIT_DIR": str(folder),
            "GIT_OBJECT_DIRECTORY": str(repository.common_dir / "objects"),
            "GIT_INDEX_FILE": str(repository.git_dir / "index"),
            "GIT_WORK_TREE": str(repository.root or folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def ask(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What ``git ARGUMENTS`` answers, at most `MOST_BYTES`; raises `SourceError`."""
        with tempfile.TemporaryFile(dir=self._folder) as given, tempfile.TemporaryFile() as said:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603  our own words, and no shell
                [self._program, "--no-pager", *arguments],
                stdin=given, stdout=subprocess.PIPE, stderr=said, cwd=self._folder, env=self._environment,
                start_new_session=True,
            )  # fmt: skip
            _bound_memory(process.pid)
            try:
                answer = self._read(process)
                code = process.wait()
            finally:
                _end(process)
            if code:
                said.seek(0)
                raise SourceError(_describe(said.read(_LONGEST_ERROR)), hint="check the repository: git fsck")
        return answer

    def _read(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        answer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                self._limits.check()
                if not selector.select(_SLICE_S):
                    continue
                chunk = os.read(process.stdout.fileno(), _CHUNK)
                if not chunk:
                    return bytes(answer)
                answer += chunk
                if len(answer) > MOST_BYTES:
                    raise TooMuchError(f"git's answer is larger than {MOST_BYTES:,} bytes")


def _bound_memory(pid: int) -> None:
    """A tree that holds itself ten times over, ten levels deep, is small on disk and endless in memory."""
    prlimit = getattr(resource, "prlimit", None)  # Linux alone has it
    if prlimit is not None:
        with suppress(OSError):
            prlimit(pid, resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it is left, however the reading ended."""
    if process.poll() is None:
        process.kill()
    with suppress(OSError):
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _describe(said: bytes) -> str:
    """Git's complaint, its first line."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return f"git: {lines[0].removeprefix('fatal: ')}" if lines else "git failed and said nothing"
