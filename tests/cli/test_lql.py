"""``diag lql check`` as users run it: a filter explained, or its first error with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from diag.model.filter_report import Caution

DOCS = Path(__file__).parents[2] / "docs/lql.md"
GOOD = 'resource.type="k8s_container" resource.labels.cluster_name="voice" timestamp>="2026-11-23T08:00:00Z"'


def test_a_good_filter_is_shown_as_a_tree_and_nothing_is_held_against_it(diag) -> None:
    """Groups, conditions with what they compare, the window; exit 0."""
    done = diag("lql", "check", f"{GOOD} AND (jsonPayload.a=1 OR NOT jsonPayload.b=2)")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('all of\n├─ resource.type="k8s_container"\n│     the whole text')
    assert "└─ any of\n   ├─ jsonPayload.a=1\n" in done.stdout
    assert "window  from 2026-11-23T08:00:00Z to the last" in done.stdout
    assert "!" not in done.stdout


def test_the_first_error_has_a_caret_under_it_and_a_remedy(diag) -> None:
    """Exit 2; the caret stands under the token."""
    done = diag("lql", "check", 'severity=INFO\ntimestamp>=2026-06-12T03:23:45Z AND "')

    assert done.returncode == 2
    line, caret = done.stdout.splitlines()[2:4]
    assert line[caret.index("^")] == '"'
    done = diag("lql", "check", "severity=INFO\ntimestamp>=2026-06-12T03:23:45Z")
    said, _, line, caret, remedy = done.stdout.splitlines()
    assert "line 2, column 25, token ':'" in said
    assert line[caret.index("^") :] == ":23:45Z"
    assert remedy.endswith('"2026-06-12T03:23:45Z"')


@pytest.mark.parametrize(
    "text",
    ["界" * 300 + "(", "a" * 30_000, "é" * 90 + "==", "(" * 500, '"\x1b[31m\u202e\x07" = (', "\t\t\tx=="],
)
def test_whatever_stands_in_a_filter_fits_80_columns_and_is_only_text(diag, text: str) -> None:
    """Wide letters, endless words, control characters: never a traceback."""
    done = diag("lql", "check", text)

    assert done.returncode == 2
    assert max(map(cell_len, done.stdout.splitlines())) <= 80
    assert not {"\x1b", "\u202e", "\x07"} & set(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr


def test_a_deep_tree_and_long_values_fit_too(diag) -> None:
    """Folded, not cut off at the edge."""
    deep = "(a OR NOT (b AND " * 14 + 'jsonPayload.x="' + "y" * 500 + '"' + "))" * 14
    done = diag("lql", "check", deep)

    assert done.returncode == 0
    assert max(map(cell_len, done.stdout.splitlines())) <= 80


def test_a_hundred_notes_are_not_all_printed(diag) -> None:
    """The first twenty, and how many more."""
    words = " ".join(f"w{number}" for number in range(100))
    done = diag("lql", "check", words)

    assert done.stdout.count("\n! ") == 20
    assert done.stdout.endswith("\n82 more: -o json lists all\n")
    assert len(json.loads(diag("lql", "check", words, "-o", "json").stdout)["notes"]) == 102


def test_json_is_for_programs(diag) -> None:
    """Tree or error, never both; what surprises by its name."""
    good = json.loads(diag("lql", "check", 'insertId="A" OR "B"', "-o", "json").stdout)
    bad = json.loads(diag("lql", "check", "insertId ==", "-o", "json").stdout)

    assert good["tree"]["any"][1] == {"words": "B"}
    assert good["error"] is None
    assert "value-after-or" in {note["caution"] for note in good["notes"]}
    assert bad["tree"] is None
    assert (bad["error"]["line"], bad["error"]["column"]) == (1, 11)


def test_stdin_and_a_filter_that_begins_with_a_dash(diag) -> None:
    """``-`` reads stdin, ``--`` ends the options."""
    assert diag("lql", "check", "-", stdin=GOOD.encode() + b"\n").returncode == 0
    assert diag("lql", "check", "-", stdin=b"\xff\xfe(").returncode == 2
    assert diag("lql", "check", "--", "-jsonPayload.a=1").stdout.startswith("not\n")


def test_colours_only_on_a_terminal(diag) -> None:
    """A pipe gets plain text."""
    assert "\x1b" not in diag("lql", "check", "a OR").stdout


def test_the_page_shows_what_is_printed_and_names_every_caution(diag) -> None:
    """docs/lql.md is true."""
    page = DOCS.read_text("utf-8")
    command, said = re.search(r"```\n\$ diag lql check '([^']*)'\n(.*?)```", page, re.DOTALL).groups()

    assert diag("lql", "check", command).stdout == said
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", page.split("|---|---|")[1].split("\n\n")[0])) >= set(
        Caution
    )
