"""Where output goes: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from diag.errors import UsageError
from diag.model.progress import Progress, ignore

if TYPE_CHECKING:
    from rich.text import Text

REPORTS = Path("reports")
NO_REPORT = "none"
_LONGEST_STEM = 100


def write_text(text: str, out: Path | None) -> None:
    """The result, as it is, to stdout or to `out`."""
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", hint="check --out") from error


def write_styled(text: Text, out: Path | None) -> None:
    """The terminal view: in colour on a terminal, plain in a pipe or file; NO_COLOR is kept."""
    if out is not None:
        write_text(text.plain + "\n", out)
        return
    from rich.console import Console

    Console(highlight=False, markup=False, emoji=False, soft_wrap=True).print(text)


def note(line: str, *, quiet: bool = False) -> None:
    """One line for the person, never part of the result."""
    if not quiet:
        typer.echo(line, err=True)


def report_path(asked: str, given: str | None, *, by_default: bool) -> Path | None:
    """Where the Markdown report goes; None for nowhere."""
    if given == NO_REPORT or (given is None and not by_default):
        return None
    return Path(given) if given else REPORTS / f"{to_file_stem(asked)}.md"


def to_file_stem(text: str) -> str:
    """A file name that can be only that: ``[A-Za-z0-9._-]``, cut, with a hash where it was changed."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", text)[:_LONGEST_STEM].lstrip(".-") or "session"
    if stem == text:
        return stem
    return f"{stem}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def write_report(text: str, path: Path | None, *, quiet: bool) -> None:
    """The report; a folder that can not be written costs one line, never the result."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        note(f"diag: the report was not written: {path}: {error.strerror} (choose another --report)")
    else:
        note(str(path), quiet=quiet)


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Progress]:
    """A line on a terminal that tells where the work is, gone when it ends; silent in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield ignore
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False, markup=False).status("starting") as status:
        yield status.update
