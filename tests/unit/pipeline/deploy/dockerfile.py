"""Reads our Dockerfile, and no other: stages, and of each the instructions with their arguments."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.unit.pipeline.deploy.manifests import DEPLOY


@dataclass(frozen=True)
class Instruction:
    """One instruction: ``RUN``, its flags (``--from=packages``), and the rest of the line."""

    name: str
    flags: tuple[str, ...]
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest, by the shell's or JSON's rules, whichever it is written in."""
        return json.loads(self.rest) if self.is_exec_form else shlex.split(self.rest)

    @property
    def is_exec_form(self) -> bool:
        return self.rest.startswith("[")


@dataclass(frozen=True)
class Stage:
    """One ``FROM``: what it builds on, and its own instructions."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def named(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.name == name]


def read_dockerfile() -> dict[str, Stage]:
    """The stages by name, in order."""
    stages: dict[str, Stage] = {}
    for line in _join_lines((DEPLOY / "Dockerfile").read_text("utf-8")):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            base, word, stage = rest.split()
            assert word == "AS", "every stage has a name"
            stages[stage] = Stage(stage, base)
        else:
            flags, words = _split_flags(rest)
            stages[next(reversed(stages))].instructions.append(Instruction(name, flags, words))
    return stages


def _join_lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield " ".join(line.split())


def _split_flags(rest: str) -> tuple[tuple[str, ...], str]:
    flags = []
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        flags.append(flag)
    return tuple(flags), rest


def targets(stages: dict[str, Stage]) -> dict[str, Stage]:
    """The stages that start something."""
    return {name: stage for name, stage in stages.items() if stage.named("CMD")}


def chain(stages: dict[str, Stage], name: str) -> list[Instruction]:
    """What is done for the stage `name`, those of its base first."""
    stage = stages.get(name)
    return [*chain(stages, stage.base), *stage.instructions] if stage else []
