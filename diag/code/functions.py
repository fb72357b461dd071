"""Is the function there, and who calls it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diag.code.files import is_foreign, is_test
from diag.code.outlines import Outlines
from diag.code.places import Ranking, is_same_file, is_same_function
from diag.code.reach import is_unreached
from diag.code.uses import MOST_ELSEWHERE, Meant, find_elsewhere, find_uses
from diag.model.code import FunctionFact, FunctionName

MOST_CALLERS = 12


def find_functions(
    asked: Iterable[tuple[FunctionName, str]], outlines: Outlines, ranking: Ranking
) -> Iterator[FunctionFact]:
    """Each function that is asked for, with why; one that is asked for twice counts once."""
    reasons: dict[FunctionName, str] = {}
    for name, why in asked:
        reasons.setdefault(name, why)
    for name, why in reasons.items():
        yield _find(name, why, outlines, ranking)


def _find(name: FunctionName, why: str, outlines: Outlines, ranking: Ranking) -> FunctionFact:
    meant = tuple(_find_definitions(name, outlines))
    places = [(path, line) for one in meant for path, line in find_uses(one, outlines)]
    places = list(dict.fromkeys(places))
    own = [(path, line) for path, line in places if not is_test(path)]
    used = {path for path, _ in places} | {one.path for one in meant}
    elsewhere = [] if own or not meant else find_elsewhere(_bare(name), used, outlines)
    return FunctionFact(
        name=name,
        asked=why,
        definitions=tuple(ranking.place(one.path, one.function.line) for one in meant),
        callers=tuple(ranking.place(path, line) for path, line in own[:MOST_CALLERS]),
        from_tests=len(places) - len(own),
        elsewhere=tuple(ranking.place(path, line) for path, line in elsewhere[:MOST_ELSEWHERE]),
        unreached=any(is_unreached(one, outlines) for one in meant),
        called_outside=next((one.function.called_outside for one in meant), ""),
    )


def _bare(name: FunctionName) -> str:
    return name.name.rpartition(".")[2]


def _find_definitions(name: FunctionName, outlines: Outlines) -> Iterator[Meant]:
    for path in outlines.holding(_bare(name)):
        if is_same_file(path, name.path) and not is_foreign(path):
            for function in outlines.of(path).functions:
                if is_same_function(function.name, name.name):
                    yield Meant(path, function)
