"""What ``diag lql check`` warns of: each pitfall is named where it is, and only there."""

from __future__ import annotations

import pytest

from diag.lql.check import check

FRAME = 'resource.type="k8s_container" timestamp>="2026-11-23T08:00:00Z"\n'


def cautions(text: str) -> set[str]:
    report = check(FRAME + text)
    assert report.problem is None, report.problem
    return {note.caution.value for note in report.notes}


@pytest.mark.parametrize(
    ("text", "caution"),
    [
        ("jsonPayload.a=1 AND jsonPayload.b=2 OR jsonPayload.c=3", "or-before-and"),
        ("jsonPayload.a=1 jsonPayload.b=2 OR jsonPayload.c=3", "or-before-and"),
        ("NOT jsonPayload.a=1 OR jsonPayload.b=2", "not-before-or"),
        ('insertId="A" OR "B"', "value-after-or"),
        ("jsonPayload.a=1 or jsonPayload.b=2", "lower-case-operator"),
        ("jsonPayload.a=1 && jsonPayload.b=2", "operator-as-word"),
        ("jsonPayload.flag", "field-as-word"),
        ('"session lost"', "every-field"),
        ("severity>=ERROR", "severity"),
        ('jsonPayload.a!="x"', "missing-field"),
        ('labels.a!~"x"', "missing-field"),
        ("severity=WARN", "never-true"),
        ("httpRequest.status>=5xx", "never-true"),
        ('timestamp>="yesterday"', "never-true"),
        ('severity=~"ERR"', "never-true"),
        ('timestamp<"2020-01-01"', "never-true"),
        ('logName="projects/p/logs/a.b/c"', "never-true"),
        ("labels.compute.googleapis.com/resource_id=1", "never-true"),
        ('jsonPayload.a="NULL_VALUE"', "never-true"),
        ('jsonPayload.a="pre*"', "no-wildcard"),
        ("jsonPayload.a=pre*", "no-wildcard"),
        ('jsonPayload.a:"*"', "no-wildcard"),
        ('jsonPayload.at>="2026-11-23T08:00:00Z"', "text-order"),
        ("jsonPayload.a='x'", "quote"),
        (r'textPayload=~"\bend\b"', "quote"),
        ("jsonPayload.a=\u201cx\u201d", "quote"),
    ],
)
def test_a_pitfall_is_named(text: str, caution: str) -> None:
    """By the name that machines see."""
    assert caution in cautions(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jsonPayload.a=1 OR jsonPayload.b=2\njsonPayload.c=3",
        "(jsonPayload.a=1 AND jsonPayload.b=2) OR jsonPayload.c=3",
        "NOT (jsonPayload.a=1 OR jsonPayload.b=2)",
        "NOT jsonPayload.a=1 AND (jsonPayload.b=2 OR jsonPayload.c=3)",
        'insertId=("A" OR "B")',
        "-jsonPayload.a=x",
        "jsonPayload.a=NULL_VALUE",
        "jsonPayload.a:*",
        "jsonPayload.and=or",
        'log_id("stdout") (jsonPayload.a=1)',
        'labels."compute.googleapis.com/resource_id"="1"',
        'logName!="projects/p/logs/x"',
        'jsonPayload.a=~"^pre.*"',
        r'jsonPayload.a=~"\\bend\\b"',
        'httpRequest.latency>"1.5s"',
    ],
)
def test_a_filter_without_one_is_left_alone(text: str) -> None:
    """A warning that fires always is read never."""
    assert cautions(text) == set()


def test_a_filter_without_a_first_time_or_an_index_is_said_to_be_slow() -> None:
    """About the filter as a whole."""
    assert {note.caution.value for note in check("jsonPayload.a=1").notes} == {"no-time", "not-indexed"}
    assert {note.caution.value for note in check('timestamp>="2026-01-01" labels.a=b').notes} == set()
    either = check('timestamp>="2026-01-01" (labels.a=b OR jsonPayload.a=b)')
    assert {note.caution.value for note in either.notes} == {"not-indexed"}
