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
        self._made: dict[str, tuple[LogResource, ...]] = {}

    def ask_with(self, token: str) -> tuple[LogResource, ...]:
        """What a request names; a page token is good with the names alone that it was made for."""
        return self._made.get(token, self.readable)

    def keep_token(self, token: str, resources: tuple[LogResource, ...]) -> None:
        """Remember what the next page must be asked with."""
        if token and len(self.readable) + len(self._refused) > 1:
            self._made[token] = resources

    def refuse(self, resource: LogResource, error: SourceError) -> None:
        """Ask for it no more in this run."""
        self.readable = tuple(one for one in self.readable if one != resource)
        self._refused[resource.label] = error

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not read, and why."""
        return tuple(
            f"nothing of {label} was read: {error}; {error.hint}" for label, error in self._refused.items()
        )
