"""All that is asked of a repository's text, in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from diag.code.functions import find_functions
from diag.code.keys import follow_keys
from diag.code.literals import Hit, find_joined, find_literals
from diag.code.outlines import Outlines
from diag.code.places import Ranking
from diag.model.code import FunctionFact, FunctionName, LogText, WrittenText

MOST_FUNCTIONS = 60


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        problems: file -> why its language was not parsed.
    """

    texts: tuple[WrittenText, ...]
    functions: tuple[FunctionFact, ...]
    problems: Mapping[str, str]


def survey_code(
    files: Mapping[str, bytes],
    logs: Iterable[LogText],
    *,
    clean: Callable[[str], str] = str,
    check: Callable[[], None] = lambda: None,
) -> Survey:
    """Where `logs` are written, and who calls the functions that write them.

    Args:
        files: path -> content.
        logs: what to look for; of too many functions those of the first.
        clean: takes secrets out of a line of code that is shown.
        check: called now and then; what it raises ends the work.
    """
    logs = tuple(dict.fromkeys(logs))
    outlines = Outlines(files, check)
    ranking = Ranking(files, outlines, clean)
    hits: defaultdict[LogText, list[Hit]] = defaultdict(list)
    for hit in find_literals(files, logs):
        hits[hit.log].append(hit)
    check()
    for hit in find_joined(
        files, [log for log in logs if not ranking.choose(log, hits[log]).places], outlines
    ):
        hits[hit.log].append(hit)
    texts = tuple(follow_keys([ranking.choose(log, hits[log]) for log in logs], hits, files, ranking))
    asked = list(dict.fromkeys(_name_functions(texts)))[:MOST_FUNCTIONS]
    return Survey(texts, tuple(find_functions(asked, outlines, ranking)), outlines.problems)


def _name_functions(texts: Iterable[WrittenText]) -> Iterator[tuple[FunctionName, str]]:
    """Those that the catalogue names, and those that the texts stand in."""
    for text in texts:
        if text.log.code:
            yield FunctionName.parse(text.log.code), f"the catalogue, for {text.log.text!r}"
        for place in text.places if not text.log.code else ():
            if place.function:
                yield FunctionName(place.function, place.path), f"it writes {text.log.text!r}"
