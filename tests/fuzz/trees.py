"""Random filters: a tree, and one of the many ways to write it."""

from __future__ import annotations

from random import Random

from diag import lql
from diag.model.filters import (
    And,
    Call,
    Cast,
    CastType,
    Comparison,
    Extract,
    Filter,
    Not,
    Op,
    Or,
    Step,
    Words,
)

NAMES = (
    "a",
    "b",
    "msg",
    "sessionID",
    "foo.bar",
    "k8s-pod/app",
    "AND",
    "or",
    "",
    ":x",
    "*",
    '"',
    "☺",
    "a b",
    "@type",
)
ROOTS: tuple[tuple[str, ...], ...] = (
    ("jsonPayload",), ("protoPayload",), ("labels",), ("resource", "labels"), ("metadata", "userLabels"),
)  # fmt: skip
FIELDS: tuple[tuple[str, ...], ...] = (
    ("timestamp",), ("receiveTimestamp",), ("severity",), ("insertId",), ("textPayload",), ("logName",), ("trace",),
    ("traceSampled",), ("httpRequest", "status"), ("httpRequest", "latency"), ("httpRequest", "responseSize"),
    ("httpRequest", "cacheHit"), ("resource", "type"), ("sourceLocation", "line"), ("errorGroups", "id"),
)  # fmt: skip
VALUES = (
    "", "a", "x", "INFO", "error", "400", "-1", "1.5", "1e3", "NaN", "Infinity", "true", "FALSE", "1.5s", "-20ms", "3h",
    "2026-11-23", "2026-11-23T08:00:00.5Z", "9999-12-31T23:59:59Z", "0001-01-01", "9223372036854775807", "NULL_VALUE", "*",
    "\\", '"', "'", "\n", "\x00", "\u202e", "straße", "ﬁ", "☺", "--", "a--b", "AND", ")", "=~", "\ud800", "a" * 60, "10.1.2.3",
)  # fmt: skip
BARE = (
    "a", "x", "abc-1", "INFO", "400", "-5", "1.5", "true", "NULL_VALUE", "and", "or", "a/b", "2026-11-23", "☺", "a.b.c",
    "*", "a*", "3h",
)  # fmt: skip
PATTERNS = ("", "a", "^a.*b$", "(?i)X", r"\d+", "(a|b)", "[^a]", "☺", r"\.", "a{0,3}", '"')
EXTRACTIONS = ("(a)", r"(\d+)", "(?:x)(.*)", "^(.)", "(☺)?", r":(\d\d)\.")
SUBNETS = ("10.1.2.0/24", "10.1.2.3", "::/0", "1:2::/48", "0.0.0.0/0")
QUERIES = ("a", "lost session", "`a b`", "x `straße`", "☺", "voice-agent 10")


def make_tree(random: Random, depth: int) -> Filter:
    """A filter as the parser could have made it."""
    kind = random.random()
    if depth and kind < 0.45:
        terms = tuple(make_tree(random, depth - 1) for _ in range(random.choice((2, 2, 3))))
        return And(terms) if kind < 0.25 else Or(terms)
    if depth and kind < 0.6:
        return Not(make_tree(random, depth - 1))
    if kind > 0.9:
        return _make_call(random)
    return Words(_clean(random.choice(VALUES))) if kind > 0.82 else _make_comparison(random)


def _make_comparison(random: Random) -> Comparison:
    op, path = random.choice(tuple(Op)), make_path(random)
    steps = _make_steps(random) if random.random() < 0.15 else ()
    if op in (Op.MATCH, Op.NO_MATCH):
        return Comparison(path, op, random.choice(PATTERNS), steps=steps)
    if random.random() < 0.3:
        return Comparison(path, op, random.choice(BARE), quoted=False, steps=steps)
    return Comparison(path, op, _clean(random.choice(VALUES)), steps=steps)


def make_path(random: Random) -> tuple[str, ...]:
    """A field; the time of the entry more often, for its bounds are asked of every filter."""
    if random.random() < 0.1:
        return ("timestamp",)
    if random.random() < 0.5:
        return random.choice(FIELDS)
    return (*random.choice(ROOTS), *(random.choice(NAMES) for _ in range(random.randint(1, 3))))


def _make_steps(random: Random) -> tuple[Step, ...]:
    steps: list[Step] = []
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.3:
            steps.append(Extract(random.choice(EXTRACTIONS)))
        else:
            zone = random.choice(("", "", "UTC", "Europe/Berlin", "America/New_York"))
            steps.append(Cast(random.choice(tuple(CastType)), zone))
    return tuple(steps)


def _make_call(random: Random) -> Call:
    match random.randint(0, 5):
        case 0:
            return Call("log_id", (_clean(random.choice(VALUES)),))
        case 1:
            return Call("source", (random.choice(("projects/p", "folders/1", "projects/a.b:c")),))
        case 2:
            return Call("sample", (random.choice(("1", "0.25", "1.0", "1e-3")),), make_path(random))
        case 3:
            return Call("ip_in_net", (random.choice(SUBNETS),), make_path(random))
        case 4:
            return Call("search", (random.choice(QUERIES),), make_path(random))
    return Call("search", (random.choice(QUERIES),))


def _clean(text: str) -> str:
    """Half a surrogate pair is replaced where a filter is read."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(tree: Filter, random: Random) -> str:
    """One way to write `tree`: other words for operators, left-out ANDs, spaces, comments, parentheses."""
    match tree:
        case And(terms=terms):
            joint = random.choice((" AND ", "\n", " ", " AND -- why (\n", "\tAND\n"))
            return joint.join(_write_in(term, random, And) for term in terms)
        case Or(terms=terms):
            return random.choice((" OR ", "\nOR ")).join(_write_in(term, random, Or) for term in terms)
        case Not(term=term):
            inner = _write_in(term, random, Not)
            # Two dashes would begin a comment.
            return random.choice(("NOT ", "NOT\n", *(() if inner[0] == "-" else ("-", "- ")))) + inner
        case _:
            return lql.to_text(tree)


def _write_in(tree: Filter, random: Random, outer: type[Filter]) -> str:
    """In parentheses where it must, and now and then where it need not."""
    text = write(tree, random)
    must = isinstance(tree, And) or (isinstance(tree, Or) and outer is not And)
    return f"({text})" if must or random.random() < 0.1 else text
