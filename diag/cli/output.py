"""Where output goes: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from diag.cli import files, options, streams
from diag.errors import UsageError
from diag.model.progress import Progress, ignore

if TYPE_CHECKING:
    from rich.text import Text

    from diag.model.coverage import Coverage
    from diag.model.reading_plan import ReadingPlan
    from diag.model.settings import Settings

REPORTS = Path("reports")
NO_REPORT = "none"
_LONGEST_STEM = 100


def check_out(out: Path | None) -> None:
    """Refuse at once what can not take the result: reading it may take minutes."""
    if out is None:
        return
    folder = out.parent
    if os.path.isdir(out):  # noqa: PTH112  it answers where Path raises: a name too long, no rights
        raise UsageError(f"{out}: is a folder", hint="name a file after --out")
    if not os.path.isdir(folder):  # noqa: PTH112  as above
        raise UsageError(f"{out}: no such folder as {folder}", hint="make it, or check --out")


def write_text(text: str, out: Path | None) -> None:
    """The result, as it is, to stdout or to `out`; raises `UsageError`."""
    if out is None:
        _write_stdout(text)
        return
    try:
        files.write_file(text, out)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", hint="check --out") from error


def write_new(text: str, path: Path) -> None:
    """A file that only this user may read, and that was not there before; raises `UsageError`."""
    try:
        files.write_new(text, path)
    except FileExistsError as error:
        raise UsageError(f"{path}: is there already", hint="name another file, or move it away") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a file that can be written") from error


def _write_stdout(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        streams.silence(sys.stdout)  # who reads it has seen enough (head, less): no fault of anybody
    except OSError as error:
        streams.silence(sys.stdout)
        raise UsageError(f"stdout: {error.strerror}", hint="--out FILE writes it elsewhere") from error


def write_styled(text: Text, out: Path | None) -> None:
    """The terminal view: in colour on a terminal, plain in a pipe or file; NO_COLOR is kept."""
    write_text((text.plain if out is not None else _to_ansi(text)) + "\n", out)


def write_plan(plan: ReadingPlan, out: Path | None, *, as_json: bool) -> None:
    """What ``--explain-plan`` found."""
    from diag.render.plan import render_reading_plan
    from diag.render.plan_v1 import render_plan_json

    if as_json:
        write_text(render_plan_json(plan), out)
    else:
        write_styled(render_reading_plan(plan), out)


def _to_ansi(text: Text) -> str:
    """As the terminal at stdout shows it. The library's own writing would end the process at a pipe."""
    from rich.console import Console

    shown = Console()
    if not shown.is_terminal or shown.color_system is None:
        return text.plain
    colours: Any = shown.color_system
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system=colours,
        no_color=shown.no_color,
        soft_wrap=True,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as captured:
        console.print(text, end="")
    return captured.get()


def to_text(argument: str) -> str:
    """A word of the command line as text: bytes that are none are replaced, never passed on."""
    return os.fsencode(argument).decode("utf-8", "replace")


def note(line: str, *, quiet: bool = False) -> None:
    """One line for the person, never part of the result."""
    if quiet:
        return
    try:
        typer.echo(line, err=True)
    except OSError:
        streams.silence(sys.stderr)  # full or closed: nobody can be told, and the result must not suffer


def tell_notes(settings: Settings, *, quiet: bool) -> None:
    """What the person should know of the settings: who can read a password, what is not followed."""
    for one in settings.notes:
        note(f"diag: {one}", quiet=quiet)


def tell_idle(flags: options.Flags, *, quiet: bool) -> None:
    """With log files: what else was asked for, and is not read."""
    if idle := options.name_idle(flags):
        note(f"diag: {', '.join(idle)} not used: log files are read instead", quiet=quiet)


def warn(coverage: Coverage, *, quiet: bool) -> None:
    """What must not be overlooked by who reads the verdict alone."""
    from diag.app.entries import INTERRUPTED

    notes = [one for source in coverage.sources for one in source.notes if one.startswith(INTERRUPTED)]
    if INTERRUPTED in notes:
        note("diag: interrupted; this is what was read until then", quiet=quiet)
    elif notes:
        note("diag: interrupted; this is what was judged until then", quiet=quiet)
    if coverage.entries_read() and not coverage.services:
        read = coverage.entries_read()
        lines = "1 line was" if read == 1 else f"{read} lines were"
        remedy = "describe yours: diag catalogue learn FILE"
        note(f"diag: {lines} read, and none is of a service that diag knows ({remedy})", quiet=quiet)


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
        files.write_file(text, path)
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
