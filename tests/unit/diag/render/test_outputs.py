"""What is shown: 80 columns, valid JSON, a report in its order, the same bytes each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from markdown_it import MarkdownIt

from diag.app.nothing import explain_nothing
from diag.catalogue import load_catalogue
from diag.model.coverage import Coverage
from diag.model.diagnosis import Diagnosis, Query
from diag.model.identifiers import classify
from diag.normalise import to_frame
from diag.render.json_v1 import render_json, render_nothing_json
from diag.render.markdown import render_markdown
from diag.render.terminal import WIDTH, render_terminal
from diag.render.terminal_nothing import render_nothing
from diag.session.select import EventFinder
from tests.cases import diagnose, read_case, read_case_file, to_records

CHECKS = Path(__file__).parents[3] / "checks"
CASES = sorted(CHECKS.glob("*/*.case"))
SCHEMA = json.loads(resources.files("diag.render").joinpath("session_v1.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
SECTIONS = [
    "Executive Summary",
    "Current Status",
    "Analysis Results",
    "Issues Identified",
    "Current Deployment Configuration",
    "Remaining Issues",
    "Recommendations",
    "Test Results",
    "Conclusion",
    "Files Verified",
    "Evidence",
]
HOSTILE = r"""
# asks: $S
00:00.001 media-server info Using session ID from header :: sessionID=$S trace=$T
00:00.100 media-server info "<script>alert(1)</script> | ```" :: sessionID=$S
00:00.200 media-server error "\u001b[31mFailed to publish audio to Kafka" :: sessionID=$S error="](http://x) <b>|\u202e"
00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID="session_<img src=x>" trace=$T
"""


def by_name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@cache
def judged(path: Path) -> Diagnosis:
    """What is made of a case, once for all that is shown of it."""
    return diagnose(read_case_file(path))


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_the_terminal_view_fits_its_columns(path: Path) -> None:
    """Every line, in every case."""
    view = render_terminal(judged(path)).plain

    assert max(map(len, view.splitlines())) <= WIDTH
    assert all(line.isprintable() for line in view.splitlines())


def test_what_the_cause_explains_is_told_whole() -> None:
    """Half a slug can not be looked for."""
    diagnosis = diagnose(read_case_file(CHECKS / "id-mismatch/fires-joined-by-trace.case"))
    cause = diagnosis.verdict.cause
    assert cause is not None
    many = replace(cause, effects=("pipeline-false-success", "turn-no-reply", "kafka-publish-unconfirmed"))
    view = render_terminal(replace(diagnosis, verdict=replace(diagnosis.verdict, cause=many))).plain

    assert max(map(len, view.splitlines())) <= WIDTH
    assert "explains pipeline-false-success, turn-no-reply, kafka-publish-unconfirmed" in " ".join(
        view.split()
    )


def test_the_session_s_own_pods_come_first_and_a_large_deployment_s_are_not_all_named() -> None:
    """A cell with a hundred names buries the one that matters."""
    others = "".join(
        f"00:00.{n:03d} media-server/p{n:02d} info Received WHIP request :: sessionID=session_1753615601{n:03d}_zzzzzzzzz\n"
        for n in range(9)
    )
    text = f"# asks: $S\n{others}00:01.000 media-server/own info Using session ID from header :: sessionID=$S"
    report = render_markdown(diagnose(read_case(text)))
    (row,) = [line for line in report.splitlines() if "`media-server` wrote to the log" in line]

    assert re.search(r"10 entries; `media-server-\w+-own`|10 entries; `[^`]*own[^`]*`, ", row), row
    assert row.count("`media-server") == 5  # the service, and four pods
    assert " and 6 more" in row


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_json_is_what_its_schema_promises(path: Path) -> None:
    """In every case; sorted, and the same bytes a second time."""
    text = render_json(judged(path))

    VALIDATOR.validate(json.loads(text))
    assert text == render_json(diagnose(read_case_file(path)))
    assert text.isascii()
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_the_report_has_its_sections_in_order_and_ends_with_the_status(path: Path) -> None:
    """And every reference that it cites is in its list."""
    diagnosis = judged(path)
    report = render_markdown(diagnosis)
    headings = [line[3:] for line in report.splitlines() if line.startswith("## ")]

    assert headings == SECTIONS
    assert report.endswith(f"**Status: {diagnosis.verdict.status.value.upper()}**\n")
    body, _, listed = report.partition("## Evidence")
    cited = {word.strip("[]") for word in body.replace("] [", "]\n[").split() if word[:2] in ("[E", "[K")}
    assert all(f"**{label}**" in listed for label in cited)


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_no_statement_of_the_report_stands_without_evidence_or_a_reason(path: Path) -> None:
    """Each row of a statement table cites something, or says why it was not checked."""
    report = render_markdown(judged(path))
    status = report.partition("## Current Status")[2].partition("## Analysis Results")[0]
    rows = [
        line for line in status.splitlines() if line.startswith("|") and not line.startswith(("| |", "|---"))
    ]

    assert rows
    for row in rows:
        *_, result, evidence = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert evidence.strip("| ") or "not checked" in result, row


def test_hostile_lines_stay_text_in_every_output() -> None:
    """No HTML, no escape sequence, no row of their own."""
    diagnosis = diagnose(read_case(HOSTILE))
    report = render_markdown(diagnosis)
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(report)
    inline = [child for token in tokens for child in token.children or ()]

    assert not [
        token for token in (*tokens, *inline) if token.type in ("html_block", "html_inline", "link_open")
    ]
    assert "\x1b" not in report + render_terminal(diagnosis).plain + render_json(diagnosis)
    assert "\u202e" not in report + render_terminal(diagnosis).plain + render_json(diagnosis)


def test_diagrams_are_short_enough_to_render_everywhere() -> None:
    """Under 2,000 characters, however long the session was."""
    turn = """
    {0}.001 orchestrator info Processing final audio with complete AI pipeline :: sessionID=$S
    {0}.020 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
    {0}.480 orchestrator info Updated service state :: sessionID=$S service=stt state=complete
    {0}.900 orchestrator info AI pipeline completed successfully :: sessionID=$S
    """
    text = "# asks: $S\n" + "".join(turn.format(f"{n // 60:02d}:{n % 60:02d}") for n in range(120))
    report = render_markdown(diagnose(read_case(text)))
    diagram = report.partition("```mermaid\n")[2].partition("```")[0]

    assert 0 < len(diagram) < 2000
    assert "more steps" in diagram


def test_a_session_that_was_not_found_says_where_it_was_looked_for_and_what_was_there() -> None:
    """In both outputs; a lost ID lists where it occurs."""
    case = read_case(
        "# asks: x\n00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=undefined\n"
        "00:00.800 media-server info Using session ID from header :: sessionID=$S"
    )
    finder = EventFinder(to_frame(to_records(case.entries), load_catalogue()), load_catalogue())
    near = explain_nothing(Query(classify("session_1753615601372_cz4gw0fl6"), None), Coverage(), finder)
    lost = explain_nothing(Query(classify("undefined"), None), Coverage(), finder)

    assert "session_1753615601372_cz4gw0fl5" in render_nothing(near).plain
    assert "spelt alike" in render_nothing(near).plain
    assert "to do" not in render_nothing(near).plain
    assert "ws_1753615602114220410 Received" in render_nothing(lost).plain
    for nothing in (near, lost):
        VALIDATOR.validate(json.loads(render_nothing_json(nothing)))


def test_the_schema_is_one() -> None:
    """Else it would promise nothing."""
    Draft202012Validator.check_schema(SCHEMA)


def test_a_session_like_none_that_was_seen_leaves_something_to_do() -> None:
    """Mostly another project or cluster was asked: then there is nothing to show but that."""
    finder = EventFinder(to_frame([], load_catalogue()), load_catalogue())
    nothing = explain_nothing(Query(classify("session_1753615601372_cz4gw0fl6"), None), Coverage(), finder)

    assert (
        "to do: check the ID, and below what was asked; diag sessions lists" in render_nothing(nothing).plain
    )


def test_a_reply_without_its_voice_is_not_called_answered_alone() -> None:
    """Who reads the row of a turn must see that the caller heard nothing."""
    name = "quiet-the-voice-is-withheld-after-the-caller-left"
    (diagnosis,) = (diagnose(read_case_file(path)) for path in CASES if path.stem == name)

    assert "  text only\n" in render_terminal(diagnosis).plain
    assert "answered; its voice did not go out; the caller left" in render_markdown(diagnosis)
