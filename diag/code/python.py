"""Python by its syntax: parsed, never imported or run."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator

from diag.code.outline import Defined, Of, Outline, Used
from diag.model.code import Means

_LONGEST_LINE = 20_000
"""Bytes; what is generated or hostile can nest deeper than the parser can go."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = ast.Module | ast.ClassDef | _Function


def outline_python(content: bytes) -> Outline:
    """The outline of a Python file; one that does not parse says so, with its line."""
    if max(map(len, content.splitlines()), default=0) > _LONGEST_LINE:
        return Outline(Means.SYNTAX, problem="a line is too long to be parsed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in their code is not ours to tell
            tree = ast.parse(content)
        return _outline(tree, list(ast.walk(tree)))
    except SyntaxError as error:
        return Outline(Means.SYNTAX, problem=f"line {error.lineno}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Outline(Means.SYNTAX, problem=str(error) or "too deep")


def _outline(tree: ast.Module, nodes: list[ast.AST]) -> Outline:
    return Outline(
        Means.SYNTAX,
        functions=tuple(_functions(tree, "", in_class=False)),
        uses=tuple(_uses(nodes)),
        imports=frozenset(_imports(nodes)),
        strings={line: tuple(texts) for line, texts in _strings(nodes).items()},
    )


def _functions(scope: _Scope, prefix: str, *, in_class: bool) -> Iterator[Defined]:
    """Nested ones and those behind an ``if`` or ``try``, too."""
    stack: list[ast.AST] = list(reversed(scope.body))
    while stack:
        node = stack.pop()
        if isinstance(node, _Function):
            name = f"{prefix}{node.name}"
            yield Defined(name, node.lineno, node.end_lineno or node.lineno, _outside(node, in_class))
            yield from _functions(node, f"{name}.", in_class=False)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.", in_class=True)
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            stack.extend(ast.iter_child_nodes(node))


def _outside(function: _Function, in_class: bool) -> str:
    if in_class and function.name.startswith("__") and function.name.endswith("__"):
        return "Python calls it by itself"
    decorators = [one for one in function.decorator_list if not _is_harmless(one)]
    return f"@{ast.unparse(decorators[0])[:60]} may hand it on" if decorators else ""


def _is_harmless(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id in ("staticmethod", "classmethod", "property")


def _uses(nodes: list[ast.AST]) -> Iterator[Used]:
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield Used(node.id, node.lineno, Of.NOTHING)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            yield Used(node.attr, node.end_lineno or node.lineno, Of.ITSELF if own else Of.SOMETHING)


def _imports(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.name.rpartition(".")[2] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.rpartition(".")[2]


def _strings(nodes: list[ast.AST]) -> dict[int, list[str]]:
    """Texts by each line that they stand on; docstrings, which only describe, are none."""
    described = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    found: defaultdict[int, list[str]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            for line in range(node.lineno, min(node.end_lineno or node.lineno, node.lineno + 20) + 1):
                found[line].append(node.value)
    return found
