"""Which variables a service reads: its settings are read, and what they ask for is noted."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from pipeline.wire.environment import Environment

# Read by the log of every service, not by its settings.
READ_BY_ALL = {"GOOGLE_CLOUD_PROJECT"}
# The package of the page holds the scripted caller as well, whose settings are its command line.
_OTHERWISE = {"pipeline.frontend": ("page_settings", "read_page_settings")}


class _Asked(Mapping[str, str]):
    """Variables that remember which were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def ask_settings(module: str, variables: Mapping[str, str]) -> set[str]:
    """Read the settings of ``pipeline.<service>``; the names of what it asked for. Raises as it does."""
    asked = _Asked(variables)
    name, function = _OTHERWISE.get(module, ("settings", "read_settings"))
    getattr(importlib.import_module(f"{module}.{name}"), function)(Environment(asked))
    return asked.names
