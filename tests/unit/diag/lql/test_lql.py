"""The query language: what the documentation says, in a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag import lql
from diag.model.filters import And, Comparison, Filter, Not, Op, Or, Words

ENTRY = {
    "logName": "projects/p/logs/stdout",
    "insertId": "abc-1",
    "timestamp": "2025-07-27T11:26:41.372Z",
    "severity": "WARNING",
    "resource": {"type": "k8s_container", "labels": {"pod_name": "orchestrator-1", "cluster_name": "voice"}},
    "labels": {"k8s-pod/app": "orchestrator"},
    "httpRequest": {"status": 503, "latency": "1.5s"},
    "jsonPayload": {
        "msg": "Received session info",
        "sessionID": 'a"b',
        "n": 8.5,
        "flag": True,
        "none": None,
        "list": [8.5, 9, 6],
        "odd.name": "apple",
        "Case": "x",
        "nested": {"deep": "unicorn"},
    },
}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ('resource.type="k8s_container"', True),
        ("resource.type=k8s_container resource.labels.cluster_name=voice", True),
        ('resource.type="K8S_CONTAINER"', True),
        ('labels."k8s-pod/app"=orchestrator', True),
        ("labels.k8s-pod/app=orchestrator", True),
        ('jsonPayload.sessionID="a\\"b"', True),
        ('jsonPayload."odd.name":apple', True),
        ("jsonPayload.case=x", False),
        ("jsonPayload.n<9 AND jsonPayload.n>=8.5", True),
        ("jsonPayload.list<7", True),
        ("jsonPayload.list<6", False),
        ("jsonPayload.flag=TRUE", True),
        ("jsonPayload.none=NULL_VALUE", True),
        ('jsonPayload.missing!="foo"', False),
        ('NOT jsonPayload.missing="foo"', True),
        ("jsonPayload.missing:*", False),
        ("jsonPayload.n:*", True),
        ("jsonPayload.nested:unicorn", True),
        ("textPayload:*", False),
        ('textPayload=""', True),
        ("severity>=WARNING", True),
        ("severity>WARNING", False),
        ("severity=warning", True),
        ("severity>=400", True),
        ('timestamp>="2025-07-27" timestamp<"2025-07-27T11:27:00+00:00"', True),
        ('timestamp<"2025-07-27T13:26:41+02:00"', False),
        ("httpRequest.status>=500", True),
        ('httpRequest.latency>"999ms"', True),
        ('jsonPayload.msg=~"^Received .* info$"', True),
        ('jsonPayload.msg=~"received"', False),
        ('jsonPayload.msg=~"(?i)received"', True),
        ('jsonPayload.msg!~"gone"', True),
        ('resource.labels.pod_name=("a" OR "orchestrator-1")', True),
        ("jsonPayload.msg:(received session)", True),
        ("jsonPayload.msg:(received gone)", False),
        ("unicorn", True),
        ('"session info"', True),
        ("-unicorn", False),
        ('log_id("stdout")', True),
        ('LOG_ID("stderr")', False),
        ("and", False),
        ("unicorn -- a comment with = and (", True),
    ],
)
def test_a_filter_matches_as_the_documentation_says(text: str, matches: bool) -> None:
    """Comparisons, missing fields, lists, types, functions and search terms."""
    assert lql.compile_filter(lql.parse(text))(ENTRY) is matches


def test_or_binds_tighter_than_and_and_not_tightest() -> None:
    """The documentation's own example of precedence."""
    bare = lql.parse('"a" OR NOT "b" AND NOT "c" OR "d"')
    spelt = lql.parse('("a" OR (NOT "b")) AND ((NOT "c") OR "d")')

    assert bare == spelt


def test_a_value_after_or_is_a_search_term_unless_it_is_in_parentheses() -> None:
    """The trap that the documentation warns of."""
    trap = lql.parse('insertId="A" OR "B"')
    meant = lql.parse('insertId=("A" OR "B")')

    assert trap == Or((Comparison(("insertId",), Op.EQ, "A"), Words("B")))
    assert meant == Or((Comparison(("insertId",), Op.EQ, "A"), Comparison(("insertId",), Op.EQ, "B")))


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("timestamp>=2026-06-12T03:23:45Z", 1, 25, "token ':'"),
        ("insertId = abc:def", 1, 15, "token ':'"),
        ('severity="INFO"\n  AND (', 2, 8, "syntax error"),
        ("thud=1", 1, 1, "no log entry has the field"),
        ("textPayload.thud=1", 1, 1, "no log entry has the field"),
        ("jsonPayload.a=~abc", 1, 16, "double quotes"),
        ('jsonPayload.a=~"["', 1, 16, "bad regular expression"),
        ('"open', 1, 1, "closing quote"),
        ("frobnicate(1)", 1, 1, "unknown function"),
        ("(" * 200, 1, 61, "too deep"),
        ("NOT " * 200 + "a", 1, 241, "too deep"),
        ("a" * 20_001, 1, 20_001, "longer than"),
        ("severity=", 1, 10, "syntax error"),
        ("severity=INFO)", 1, 14, "syntax error"),
    ],
)
def test_a_wrong_filter_says_where_and_what(text: str, line: int, column: int, words: str) -> None:
    """Line and column from 1, and the token, as the service itself answers."""
    with pytest.raises(lql.FilterError) as caught:
        lql.parse(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in str(caught.value)


_names = st.text(min_size=1, max_size=8)
_comparisons = st.builds(
    lambda names, op, value: Comparison(("jsonPayload", *names), op, value),
    st.lists(_names, min_size=1, max_size=3),
    st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.HAS]),
    st.text(max_size=20),
)
_trees = st.recursive(
    st.one_of(_comparisons, st.builds(Words, st.text(min_size=1, max_size=12))),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda terms: And(tuple(terms)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda terms: Or(tuple(terms)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


@given(_trees)
def test_whatever_a_tree_holds_its_text_means_the_same_tree(tree: Filter) -> None:
    """Quoting is complete: no value and no name can change the filter around it."""
    assert lql.parse(lql.to_text(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_with_its_place(text: str) -> None:
    """Nothing but a `FilterError` ever comes out."""
    try:
        places = (lql.compile_filter(lql.parse(text))(ENTRY), 1, 1)
    except lql.FilterError as error:
        places = (False, error.line, error.column)

    assert min(places[1:]) >= 1


def test_time_bounds_are_what_can_match_at_all() -> None:
    """Both ends inclusive; a bound inside an OR is none."""
    tree = lql.parse('timestamp>="2025-07-27T00:00:00Z" timestamp<"2025-07-28T00:00:00Z" severity=INFO')
    either = lql.parse('timestamp>="2025-07-27T00:00:00Z" OR severity=INFO')

    assert lql.time_bounds(tree) == (1_753_574_400_000_000_000, 1_753_660_799_999_999_999)
    assert lql.time_bounds(either) == (None, None)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ('timestamp="1970-01-01T00:00:01Z"', (10**9, 10**9)),
        ('timestamp>"1970-01-01T00:00:01Z"', (10**9 + 1, None)),
        ('timestamp<="1970-01-01T00:00:01Z"', (None, 10**9)),
        ('timestamp!="1970-01-01T00:00:01Z"', (None, None)),
        ('timestamp>="no time"', (None, None)),
        ('NOT timestamp>"1970-01-01T00:00:01Z"', (None, None)),
        ('cast(timestamp, STRING)>="1970-01-01T00:00:01Z"', (None, None)),
        (
            '(timestamp>"1970-01-01" timestamp>"1970-01-02") timestamp>"1970-01-01"',
            (86_400 * 10**9 + 1, None),
        ),
    ],
)
def test_a_bound_leaves_out_nothing_that_can_match(text: str, bounds: tuple[int | None, int | None]) -> None:
    """To the nanosecond; what was cast compares as something else."""
    assert lql.time_bounds(lql.parse(text)) == bounds


@pytest.mark.parametrize(
    ("text", "payload", "matches"),
    [
        ("jsonPayload.a=~x", "x\ud800", None),
        ('jsonPayload.a=~"x"', "x\ud800", True),
        ('jsonPayload.a="\\ud83d\\ude00"', "\U0001f600", True),
        ('jsonPayload.a="\\ud83d"', "\ufffd", True),
        ("severity=Infinity OR jsonPayload.a=1", 1, True),
        ("jsonPayload.a=1", 10**400, False),
        ("jsonPayload.a>1", float("nan"), False),
        ('cast(jsonPayload.a, STRING)="5"', 5.0, True),
        ('cast(jsonPayload.a, INT64)="3"', float("inf"), False),
        ('cast(jsonPayload.a, BOOL)="true"', True, True),
        ("jsonPayload.a:1", [[[1]]], True),
        ("timestamp>=2026 OR jsonPayload.a.b=1", [[{"b": 1}]], True),
        ("unicorn", [None, {"x": [{"y": "a unicorn"}]}], True),
    ],
)
def test_odd_values_are_answered(text: str, payload: object, matches: bool | None) -> None:
    """Half characters, endless numbers, lists in lists; None: the filter is refused."""
    if matches is None:
        with pytest.raises(lql.FilterError):
            lql.parse(text)
        return
    entry = {"severity": "INFO", "jsonPayload": {"a": payload}}
    assert lql.compile_filter(lql.parse(text))(entry) is matches


def test_half_a_character_in_a_filter_is_read_as_none() -> None:
    """So that what is read can be written, sent and read again."""
    assert lql.parse('"a\ud800"') == lql.parse("a\udfff") == Words("a\ufffd")
