"""Who uses a function?

Which object a method is called on is not to be had from code alone. A caller is a use of the name in the
function's own file, or in one that imports its module or class; the same name elsewhere is only counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from diag.code.files import is_test
from diag.code.outline import Defined, Of, Used
from diag.code.outlines import Outlines
from diag.model.code import Means

MOST_ELSEWHERE = 3
_PACKAGE = "__init__"


@dataclass(frozen=True, slots=True)
class Meant:
    """A function and its file."""

    path: str
    function: Defined

    @property
    def module(self) -> str:
        """What another file imports to use it: its file's name, or its folder's."""
        path = PurePosixPath(self.path)
        return path.parent.name if path.stem == _PACKAGE else path.stem


def find_uses(meant: Meant, outlines: Outlines) -> Iterator[tuple[str, int]]:
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


def _may_use(meant: Meant, outlines: Outlines) -> Iterator[str]:
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


def _is_taken(used: Used, meant: Meant, imports: frozenset[str]) -> bool:
    """Whether a use in another file is one of it, by what that file imports."""
    if used.of is Of.NOTHING:
        return not meant.function.owner and meant.function.bare in imports
    return meant.module in imports or (bool(meant.function.owner) and meant.function.owner in imports)


def is_used_elsewhere(meant: Meant, outlines: Outlines) -> bool:
    """Whether something of its name is used where nothing ties it to this one."""
    known = {path for path, _ in find_uses(meant, outlines)} | {meant.path}
    return bool(find_elsewhere(meant.function.bare, known, outlines))


def find_elsewhere(bare: str, known: set[str], outlines: Outlines) -> list[tuple[str, int]]:
    """Lines that call something of this name, in files that nothing ties to the function."""
    if bare.startswith("_"):
        return []
    paths = (path for path in outlines.holding(f".{bare}(") if path not in known and not is_test(path))
    return [
        (path, used.line) for path in islice(paths, MOST_ELSEWHERE) for used in outlines.of(path).uses
        if used.name == bare and used.of is Of.SOMETHING
    ]  # fmt: skip
