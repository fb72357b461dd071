"""Prints the part of ``requirements.lock`` that the pipeline needs, with its versions and hashes.

``python pick_requirements.py requirements.lock pyproject.toml``. The lock pins what diag, the pipeline
and the tests need; an image needs a quarter of it. What the pipeline itself asks for is the extra of
that name; who else needs a pin stands behind it (``# via``), written by pip-compile. This file imports
nothing of ours: it runs in the stage of the image where nothing is yet.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==")
_NAME = re.compile(r"^[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin: its lines as they stand, and who needs it."""

    lines: tuple[str, ...]
    needed_by: frozenset[str]


def read_pins(lock: str) -> dict[str, Pin]:
    """The pins of a lock file by package."""
    blocks: dict[str, list[str]] = {}
    for line in lock.splitlines():
        match = _PIN.match(line)
        if match:
            blocks[match["name"]] = []
        if blocks:
            blocks[next(reversed(blocks))].append(line)
    return {name: _to_pin(lines) for name, lines in blocks.items()}


def _to_pin(lines: list[str]) -> Pin:
    comments = [line.strip(" #").removeprefix("via").strip() for line in lines if line.startswith("    #")]
    return Pin(
        tuple(line for line in lines if not line.lstrip().startswith("#")),
        frozenset(filter(None, comments)),
    )


def pick(pins: Mapping[str, Pin], wanted: Iterable[str]) -> list[str]:
    """The names of `wanted` and of all that they need, sorted; raises `KeyError` for one not locked."""
    picked: set[str] = set()
    waiting = set(wanted)
    while waiting:
        name = waiting.pop()
        picked.add(name)
        if name not in pins:
            raise KeyError(name)
        waiting |= {child for child, pin in pins.items() if name in pin.needed_by} - picked
    return sorted(picked)


def read_wanted(pyproject: str) -> list[str]:
    """The packages of the extra ``pipeline``."""
    extra = tomllib.loads(pyproject)["project"]["optional-dependencies"]["pipeline"]
    return [match[0] for requirement in extra if (match := _NAME.match(requirement))]


def main() -> None:
    """Print the lines; a package that is not locked is one line on stderr and status 1."""
    lock, pyproject = (Path(argument).read_text("utf-8") for argument in sys.argv[1:])
    pins = read_pins(lock)
    try:
        names = pick(pins, read_wanted(pyproject))
    except KeyError as error:
        sys.exit(f"the lock does not hold {error.args[0]}")
    sys.stdout.writelines(f"{line}\n" for name in names for line in pins[name].lines)


if __name__ == "__main__":
    main()
