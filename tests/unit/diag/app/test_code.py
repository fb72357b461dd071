"""A repository beside a session: what came stays, what did not is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

import diag.sources.repo
from diag.app.code import Code
from diag.app.entries import INTERRUPTED
from diag.catalogue import load_catalogue
from diag.errors import SourceError
from diag.model.code import CodeFacts, Commit
from diag.model.coverage import State
from diag.model.progress import ignore
from diag.model.settings import RepoSettings
from diag.sources.repo import Limits
from tests.cases import diagnose, read_case_file
from tests.repositories import make_repository

CASE = Path(__file__).parents[3] / "checks/id-mismatch/fires-joined-by-trace.case"
HEAD = CodeFacts(Commit("a" * 40, 0, "first"))


def reading(path: str, *, interrupted: bool = False) -> Code:
    return Code(RepoSettings(path=path), load_catalogue(), ignore, interrupted=interrupted)


async def test_nothing_named_is_nothing_asked() -> None:
    """With the flag that would name it."""
    code = reading("")
    await code.read(None)

    assert (code.facts, code.coverage().state) == (None, State.NOT_ASKED)
    assert "--repo" in code.coverage().notes[0]


async def test_after_an_interruption_nothing_is_read(tmp_path: Path) -> None:
    """And that is a part, no failure."""
    code = reading(str(make_repository(tmp_path / "r", {"a.py": "1\n"})), interrupted=True)
    await code.read(None)

    assert code.facts is None
    assert (code.coverage().state, code.coverage().notes) == (State.PARTIAL, (INTERRUPTED,))


async def test_an_interruption_keeps_the_head_and_ends_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is told, and waited for."""
    begun, ended = Event(), Event()

    class Slow:
        def read_head(self) -> CodeFacts:
            return HEAD

        def read_files(self) -> None:
            begun.set()
            assert limit.stopped.wait(60)
            ended.set()
            raise SourceError("interrupted")

    @contextmanager
    def read_slowly(_path: str, limits: Limits) -> Iterator[Slow]:
        nonlocal limit
        limit = limits
        yield Slow()

    limit = Limits(0)
    monkeypatch.setattr(diag.sources.repo, "read_repository", read_slowly)
    code = reading("anywhere")
    task = asyncio.create_task(code.read(diagnose(read_case_file(CASE)).session))
    assert await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    await task

    assert ended.is_set()
    assert code.facts == HEAD
    assert (code.coverage().state, code.coverage().notes) == (State.PARTIAL, (INTERRUPTED,))


async def test_what_one_step_could_not_give_costs_not_the_next(tmp_path: Path) -> None:
    """A broken index hides what is changed, and nothing else."""
    folder = make_repository(tmp_path / "r", {"o/a.py": 'log.info("Received session info from frontend")\n'})
    (folder / ".git/index").write_bytes(b"DIRC broken")
    code = reading(str(folder))
    await code.read(diagnose(read_case_file(CASE)).session)

    assert code.facts is not None
    assert (code.facts.changed, code.facts.searched) == (None, 1)
    assert any(text.places for text in code.facts.texts)
    assert code.coverage().state is State.PARTIAL
