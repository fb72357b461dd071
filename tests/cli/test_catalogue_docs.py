"""docs/catalogue.md, taken at its word: every command is run, every file and event in it is compared."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from diag.model.canonical_events import EVENTS, LIMITS
from diag.model.catalogue import FORM_KINDS, ID_ROLES, SIDES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/catalogue.md").read_text("utf-8")
EXAMPLE = ROOT / "tests/catalogue/example"
ELIDED = "..."


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page with the lines printed below it."""
    for block in blocks("console"):
        for step in block.removeprefix("$ ").split("\n$ "):
            command, *printed = step.rstrip("\n").split("\n")
            yield command, printed


def holds(whole: str, shown: list[str]) -> bool:
    """Whether `shown` is `whole`, with anything where it says ``...``."""
    parts = "\n".join(shown).split(f"{ELIDED}\n") if ELIDED in shown else ["\n".join(shown)]
    parts = [part.removesuffix(f"\n{ELIDED}").strip("\n") for part in parts if part.strip(f"\n{ELIDED}")]
    at = 0
    for part in parts:
        found = whole.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return ELIDED in shown or whole.strip("\n") == "\n".join(shown).strip("\n")


@pytest.fixture
def example(workdir: Path) -> Path:
    """The example's files in an empty folder."""
    shutil.copytree(EXAMPLE, workdir, dirs_exist_ok=True)
    return workdir


def test_every_command_prints_what_the_page_shows(diag, example: Path) -> None:
    """In its order, from the first proposal to a session explained; `learn` is first run without a catalogue."""
    (example / "diag.toml").rename(example / "later.toml")
    seen = 0
    for command, printed in commands():
        program, *arguments = shlex.split(command)
        if program == "cat":
            text = (example / arguments[0]).read_text("utf-8")
        else:
            assert program == "diag"
            done = diag(*arguments)
            assert "Traceback" not in done.stderr
            text = done.stdout + done.stderr
        assert holds(text, printed), f"{command}\n{text}"
        if arguments[:2] == ["catalogue", "validate"]:
            assert done.returncode == (2 if arguments[2] == "broken.toml" else 0)
        if arguments[-1] == "broken.toml":  # the next step of the page names the catalogue in diag.toml
            (example / "later.toml").rename(example / "diag.toml")
        seen += 1
    assert seen >= 6


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_file_that_is_shown_is_that_file(block: str) -> None:
    """Whole, or with what is left out marked."""
    files = [path.read_text("utf-8") for path in sorted(EXAMPLE.glob("*.toml"))]

    assert any(holds(text, [*block.rstrip("\n").split("\n"), ELIDED]) for text in files)


def test_the_log_line_that_is_shown_is_in_the_logs() -> None:
    """As it is there."""
    logs = "".join(path.read_text("utf-8") for path in (EXAMPLE / "logs").iterdir())

    assert blocks("json")
    for block in blocks("json"):
        assert block in logs


def test_every_event_side_and_role_is_explained() -> None:
    """The table is the list; sides, roles and forms are all named."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*) \| (.*) \|$", PAGE.split("## The events")[1], re.MULTILINE)
    form = PAGE.split("## The form")[1].split("## The events")[0]

    assert {name: says for name, says, _ in rows} == EVENTS
    assert {name: limit for name, _, limit in rows if limit} == LIMITS
    assert f"one of {', '.join(SIDES)}." in form
    for name in (*ID_ROLES, *FORM_KINDS):
        assert f"`{name}`" in form


def test_the_events_that_the_page_begins_with_exist() -> None:
    """No typo in the table of the first steps."""
    table = PAGE.split("Begin with these")[1].split("Two IDs in one line")[0]
    events = {name for name in re.findall(r"`([a-z]+(?:\.[a-z_]+)?)`", table) if "." in name}

    assert events <= EVENTS.keys()
