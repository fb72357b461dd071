"""Is the function there, and who calls it?

Which object a method is called on is not to be had from code alone. A caller is a use of the name in the
function's own file, or in one that imports its module or class; the same name elsewhere is only counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from diag.code.files import is_foreign, is_test
from diag.code.outline import Defined, Of, Used
from diag.code.outlines import Outlines
from diag.code.places import Ranking, is_same_file, is_same_function
from diag.model.code import FunctionFact, FunctionName, Means

MOST_CALLERS = 12
MOST_ELSEWHERE = 3
_PACKAGE = "__init__"


def find_functions(
    asked: Iterable[tuple[FunctionName, str]], outlines: Outlines, ranking: Ranking
) -> Iterator[FunctionFact]:
    """Each function that is asked for, with why; one that is asked for twice counts once."""
    reasons: dict[FunctionName, str] = {}
    for name, why in asked:
        reasons.setdefault(name, why)
    for name, why in reasons.items():
        yield _find(name, why, outlines, ranking)


@dataclass(frozen=True, slots=True)
class _Meant:
    """A function and its file."""

    path: str
    function: Defined

    @property
    def module(self) -> str:
        """What another file imports to use it: its file's name, or its folder's."""
        path = PurePosixPath(self.path)
        return path.parent.name if path.stem == _PACKAGE else path.stem


def _find(name: FunctionName, why: str, outlines: Outlines, ranking: Ranking) -> FunctionFact:
    meant = tuple(_find_definitions(name, outlines))
    places = [(path, line) for one in meant for path, line in _find_uses(one, outlines)]
    places = list(dict.fromkeys(places))
    own = [(path, line) for path, line in places if not is_test(path)]
    used = {path for path, _ in places} | {one.path for one in meant}
    elsewhere = [] if own or not meant else _find_elsewhere(_bare(name), used, outlines)
    return FunctionFact(
        name=name,
        asked=why,
        definitions=tuple(ranking.place(one.path, one.function.line) for one in meant),
        callers=tuple(ranking.place(path, line) for path, line in own[:MOST_CALLERS]),
        from_tests=len(places) - len(own),
        elsewhere=tuple(ranking.place(path, line) for path, line in elsewhere[:MOST_ELSEWHERE]),
        called_outside=next((one.function.called_outside for one in meant), ""),
    )


def _find_elsewhere(bare: str, known: set[str], outlines: Outlines) -> list[tuple[str, int]]:
    """Lines that call something of this name, in files that nothing ties to the function."""
    if bare.startswith("_"):
        return []
    paths = (path for path in outlines.holding(f".{bare}(") if path not in known and not is_test(path))
    return [
        (path, used.line) for path in islice(paths, MOST_ELSEWHERE) for used in outlines.of(path).uses
        if used.name == bare and used.of is Of.SOMETHING
    ]  # fmt: skip


def _bare(name: FunctionName) -> str:
    return name.name.rpartition(".")[2]


def _find_definitions(name: FunctionName, outlines: Outlines) -> Iterator[_Meant]:
    for path in outlines.holding(_bare(name)):
        if is_same_file(path, name.path) and not is_foreign(path):
            for function in outlines.of(path).functions:
                if is_same_function(function.name, name.name):
                    yield _Meant(path, function)


def _find_uses(meant: _Meant, outlines: Outlines) -> Iterator[tuple[str, int]]:
    """The lines that use it, but for its own body: what only calls itself has no caller."""
    function = meant.function
    for path in _may_use(meant, outlines):
        outline = outlines.of(path)
        for used in outline.uses:
            if used.name != function.bare:
                continue
            if path == meant.path:
                inside = function.line <= used.line <= function.last
                tied = not inside and _is_own(used, function, outline.function_at(used.line))
            elif outline.means is Means.SYNTAX:
                tied = _is_taken(used, meant, outline.imports)
            else:
                tied = True
            if tied:
                yield path, used.line


def _may_use(meant: _Meant, outlines: Outlines) -> Iterator[str]:
    """Its own file, and those that hold its name and that of its module or class."""
    bare, owner = meant.function.bare, meant.function.owner
    yield meant.path
    if bare.startswith("_"):
        return
    if outlines.of(meant.path).means is Means.TEXT:
        # one package is one folder, and within it nothing is imported
        folder, suffix = PurePosixPath(meant.path).parent, PurePosixPath(meant.path).suffix
        near = (PurePosixPath(path) for path in outlines.holding(bare))
        for one in near:
            reaches = one.parent == folder or bare[:1].isupper()
            if one.suffix == suffix and reaches and str(one) != meant.path:
                yield str(one)
        return
    words = {meant.module, owner or bare}
    found = {path for word in words for path in outlines.holding(bare, word) if path.endswith(".py")}
    yield from sorted(found - {meant.path})


def _is_own(used: Used, function: Defined, around: str) -> bool:
    """Whether a use in the function's own file is one of it."""
    if not function.owner:
        return used.of is Of.NOTHING
    same_class = around.startswith(function.name.removesuffix(function.bare))
    return used.of is Of.SOMETHING or (used.of is Of.ITSELF and same_class)


def _is_taken(used: Used, meant: _Meant, imports: frozenset[str]) -> bool:
    """Whether a use in another file is one of it, by what that file imports."""
    if used.of is Of.NOTHING:
        return not meant.function.owner and meant.function.bare in imports
    return meant.module in imports or (bool(meant.function.owner) and meant.function.owner in imports)
