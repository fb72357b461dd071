"""Fields of the API's objects. What is not there, or is not of its type, is empty: it comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diag.model.instants import parse_instant

Object = Mapping[str, Any]


def dig(tree: Any, *path: str) -> Any:
    """What stands at `path`; None where nothing does."""
    for name in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(name)
    return tree


def text_at(tree: Any, *path: str) -> str:
    """A text, or a number as one; else empty."""
    found = dig(tree, *path)
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def number_at(tree: Any, *path: str, default: int = 0) -> int:
    """A count, else `default`: nothing that is told by numbers can be less than none."""
    found = dig(tree, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else default


def code_at(tree: Any, *path: str) -> int | None:
    """A whole number, or None."""
    found = dig(tree, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def list_at(tree: Any, *path: str) -> list[Any]:
    """A list, else an empty one."""
    found = dig(tree, *path)
    return found if isinstance(found, list) else []


def texts_at(tree: Any, *path: str) -> dict[str, str]:
    """A mapping of texts to texts, such as labels; what is none is left out."""
    found = dig(tree, *path)
    if not isinstance(found, Mapping):
        return {}
    return {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, str)}


def instant_at(tree: Any, *path: str) -> int | None:
    """An instant in ns, or None."""
    found = dig(tree, *path)
    return parse_instant(found) if isinstance(found, str) else None
