"""Git repositories for tests, made by git itself without any setting of the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

WHEN = "2025-07-27T09:00:00+0000"


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    """What ``git ARGUMENTS`` says in `folder`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ALLOW_PROTOCOL": "file",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "a"), ("EMAIL", "a@example.invalid"), ("DATE", WHEN))},
    }  # fmt: skip
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        input=stdin.encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode("utf-8", "replace")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Files by their paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(folder: Path, files: Mapping[str, str | bytes], subject: str = "more") -> str:
    """Commit these files; the commit's hash."""
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", subject)
    return git(folder, "rev-parse", "HEAD").strip()


def make_repository(folder: Path, files: Mapping[str, str | bytes], subject: str = "first") -> Path:
    """A repository with one commit on the branch ``main``."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, files, subject)
    return folder


def make_tree(folder: Path, rows: str) -> str:
    """A tree of these rows, as ``git ls-tree`` shows them; its hash."""
    return git(folder, "mktree", stdin=rows).strip()
