"""Which of several projects can be read: one request asks them all, and one of them may refuse all of it.

The refusal of ``entries.list`` names the right that is missing, not the project: then each is asked alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from diag.errors import SourceError
from diag.model.log_resources import LogResource


class Reach:
    """The resources that are asked for, without those that were found to be refused."""

    def __init__(self, resources: Sequence[LogResource]) -> None:
        self.readable = tuple(resources)
        self._refused: dict[str, SourceError] = {}
        self._read: set[LogResource] = set()
        self._made: dict[str, tuple[LogResource, ...]] = {}

    def ask_with(self, token: str) -> tuple[LogResource, ...]:
        """What a request names; a page token is good with the names alone that it was made for."""
        return self._made.get(token, self.readable)

    def take(self, token: str, resources: tuple[LogResource, ...]) -> None:
        """A page came: remember whose, and what the next one must be asked with."""
        self._read.update(resources)
        if token and len(self.readable) + len(self._refused) > 1:
            self._made[token] = resources

    def refuse(self, resource: LogResource, error: SourceError) -> None:
        """Ask for it no more in this run."""
        self.readable = tuple(one for one in self.readable if one != resource)
        self._refused[f"{'nothing more' if resource in self._read else 'nothing'} of {resource.label}"] = (
            error
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not read, and why."""
        return tuple(f"{what} was read: {error}; {error.hint}" for what, error in self._refused.items())
