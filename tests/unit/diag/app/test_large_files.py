"""Files too large to be read as a whole give the answer that they give when they are read as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from diag.app import log_source
from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.model.diagnosis import Diagnosis, NothingFound
from diag.model.settings import Settings
from diag.render.json_v1 import render_json
from diag.sources.files import source
from tests.accuracy.entries import to_entries
from tests.accuracy.truth import World
from tests.accuracy.world import build_world

NOW_NS = 1_900_000_000_000_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(3, 40)


@pytest.fixture
def logs(world: World, tmp_path: Path) -> Path:
    file = tmp_path / "logs.ndjson"
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in to_entries(world)), "utf-8")
    return file


def ask(asked: str, *files: Path, **more: Any) -> Diagnosis | NothingFound:
    names = tuple(str(file) for file in files)
    request = SessionRequest(settings=Settings(), now_ns=NOW_NS, files=names, asked=asked, **more)
    return asyncio.run(diagnose_session(request))


def answer(asked: str, *files: Path) -> dict[str, Any]:
    """All but what speaks of how it was read."""
    diagnosis = ask(asked, *files)
    assert isinstance(diagnosis, Diagnosis), asked
    told = json.loads(render_json(diagnosis))
    return {name: told[name] for name in told if name not in {"coverage", "query"}}


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_source, "_MOST_READ", 0)
    monkeypatch.setattr(source, "_WORTH", 0)


def asked_ids(world: World) -> Sequence[str]:
    shared = {text for text, owners in world.owners().items() if len(owners) > 1}
    return [text for one in world.sessions[::4] for text in sorted(one.ids)[:1] if text not in shared]


def test_a_searched_file_gives_the_answer_of_one_that_is_read(
    world: World, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdict, timeline, turns, links and findings, whatever was lost on the way."""
    ids = asked_ids(world)
    whole = [answer(text, logs) for text in ids]
    monkeypatch.setattr(log_source, "_MOST_READ", 0)
    monkeypatch.setattr(source, "_WORTH", 0)

    assert len(ids) >= 8
    for text, expected in zip(ids, whole, strict=True):
        assert answer(text, logs) == expected, text
