"""What must hold of every case; a broken promise is an `AssertionError` or whatever else comes out."""

from __future__ import annotations

from collections import Counter
from random import Random

from rich.cells import cell_len

from diag import lql
from diag.lql.check import check
from diag.model.filters import Filter, Not
from diag.model.instants import parse_instant
from diag.render.lql import render_filter
from diag.render.lql_v1 import render_filter_json
from tests.fuzz.entries import make_entry
from tests.fuzz.files import TOGETHER, count_file_cases, run_file_case
from tests.fuzz.records import run_record_case
from tests.fuzz.trees import BARE, VALUES, make_tree, write

_PIECES = (
    *BARE, *VALUES, "(", ")", "=", "!=", "<", ">=", ":", "=~", "!~", "AND", "OR", "NOT", "-", ".", ",", '"', "'", "\\", "--",
    " ", "\n", "\t", "jsonPayload", "labels", "severity", "timestamp", "log_id(", "SEARCH(", "cast(", "regexp_extract(",
    "sample(", "ip_in_net(", "source(", "STRING", "TIMEZONE(", "`", "\x1b[31m", "\u2028", "“", "&&", "~", "!",
)  # fmt: skip


def run_case(seed: int, number: int) -> str:
    """Run one case and say how it went: ``written``, ``mutated: parsed``, ``noise: refused``, ..."""
    random = Random(f"{seed}/{number}")
    kind = random.random()
    if kind < 0.5:
        _check_written(random)
        return "written"
    if kind < 0.85:
        return f"mutated: {_check_text(_mutate(write(make_tree(random, 3), random), random), random)}"
    return f"noise: {_check_text(_make_noise(random), random)}"


RUNS = {"filters": run_case, "files": run_file_case, "records": run_record_case}


def count_cases(seed: int, numbers: range, about: str = "filters") -> Counter[str]:
    """How many cases `about` went which way; the first broken promise names its case."""
    if about != "files":
        return _count_each(seed, numbers, about)
    counts: Counter[str] = Counter()
    for at in range(0, len(numbers), TOGETHER):
        counts += _count_together(seed, numbers[at : at + TOGETHER])
    return counts


def _count_together(seed: int, numbers: range) -> Counter[str]:
    """Files that are looked at together; where one breaks a promise each is looked at alone, to name it."""
    try:
        return count_file_cases(seed, numbers)
    except Exception as error:
        _count_each(seed, numbers, "files")
        error.add_note(f"the files {numbers} of seed {seed}, only together")
        raise


def _count_each(seed: int, numbers: range, about: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in numbers:
        try:
            counts[RUNS[about](seed, number)] += 1
        except Exception as error:
            error.add_note(
                f"case {number} of seed {seed}: python -m tests.fuzz --about {about} --seed {seed} --case {number}"
            )
            raise
    return counts


def make_text(seed: int, number: int) -> str:
    """The text of a case, to look at."""
    random = Random(f"{seed}/{number}")
    kind = random.random()
    if kind >= 0.85:
        return _make_noise(random)
    text = write(make_tree(random, 3), random)
    return text if kind < 0.5 else _mutate(text, random)


def _check_written(random: Random) -> None:
    """Whichever way a tree is written, it is read as that tree."""
    tree = make_tree(random, 3)
    assert lql.parse(write(tree, random)) == tree
    _check_tree(tree, random)


def _check_text(text: str, random: Random) -> str:
    """A text is a filter, or is refused at a place inside of it with a remedy."""
    if random.random() < 0.05:
        _check_report(text)
    try:
        tree = lql.parse(text)
    except lql.FilterError as error:
        _check_refusal(text, error)
        return "refused"
    _check_tree(tree, random)
    return "parsed"


def _check_refusal(text: str, error: lql.FilterError) -> None:
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.hint, str(error)


def _check_tree(tree: Filter, random: Random) -> None:
    """Written and read again it is itself; it runs over any entry; its bounds leave nothing out."""
    assert lql.parse(lql.to_text(tree)) == tree
    matches, opposite = lql.compile_filter(tree), lql.compile_filter(Not(tree))
    low, high = lql.time_bounds(tree)
    for entry in (make_entry(random), make_entry(random)):
        found = matches(entry)
        assert found is not opposite(entry)
        instant = parse_instant(entry["timestamp"])
        if found and instant is not None:
            assert low is None or low <= instant
            assert high is None or instant <= high


def _check_report(text: str) -> None:
    """The explanation fits the terminal and holds nothing that could steer it."""
    report = check(text)
    for line in render_filter(report).plain.split("\n"):
        assert cell_len(line) <= 80, line
        assert line.isprintable(), line
    assert render_filter_json(report).isascii()


def _mutate(text: str, random: Random) -> str:
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(text))
        to = min(len(text), at + random.choice((0, 0, 1, 1, 3, 12)))
        text = text[:at] + random.choice(("", "", *_PIECES)) + text[to:]
    return text


def _make_noise(random: Random) -> str:
    joint = random.choice(("", " "))
    return joint.join(random.choice(_PIECES) for _ in range(random.randint(0, 12)))
