"""Which service wrote an entry, from whatever names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from diag.model.catalogue import Catalogue
from diag.model.remembered import Remembered
from diag.normalise.draft import Draft

_SAYS_NOTHING = re.compile(r"current|previous|rotated|logs?|\d+", re.IGNORECASE)
_FOLDERS = frozenset({"", ".", "..", "log", "logs", "current", "previous"})
"""A dump of a cluster has ``pods/POD/CONTAINER/CONTAINER/logs/current.log``."""

_POD = re.compile(r"[a-z0-9-]+-[a-f0-9]{6,10}-[a-z0-9]{5}")


class ServiceNames:
    """The catalogue's aliases, asked by names that contain them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._aliases: Mapping[str, str] = catalogue.aliases
        self._longest_first = sorted(catalogue.aliases, key=len, reverse=True)
        self._known = Remembered(self._search)

    def of_line(self, draft: Draft, file_name: str) -> str:
        """Who wrote a line; empty if the catalogue knows nobody of that name.

        A line may carry another service's name as a value ("service": "stt"), so what the platform
        says comes first, then what only one service writes, and the line's own word last.
        """
        platform_hints = draft.name_hints if draft.insert_id or draft.pod else ()
        return (
            self.resolve(*platform_hints, file_name)
            or self._catalogue.service_of(draft.message)
            or self.resolve(*draft.name_hints)
        )

    def resolve(self, *names: str) -> str:
        """The service that the first telling name means; empty if none tells."""
        for name in names:
            if service := self._known[name]:
                return service
        return ""

    def _search(self, any_case: str) -> str:
        name = any_case.lower()
        if name in self._aliases:
            return self._aliases[name]
        # orchestrator-5c9b7f6d84-q8wzn, orchestrator-session-fixes: the alias and a dash
        return next((self._aliases[a] for a in self._longest_first if name.startswith(f"{a}-")), "")


def hints_of_origin(origin: str) -> tuple[str, str]:
    """What a file's name tells of its lines: a pod and a service's name, each empty if it does not."""
    return _hints_of_file(origin.rpartition(":")[0])


@lru_cache(maxsize=256)
def _hints_of_file(name: str) -> tuple[str, str]:
    *folders, file = name.replace("\\", "/").replace("!", "/").split("/")
    stem = file.split(".", 1)[0]
    places = [stem, *reversed(folders)]
    pod = next((part for place in places for part in re.split(r"[_.]", place) if _POD.fullmatch(part)), "")
    said = (
        stem
        if not _SAYS_NOTHING.fullmatch(stem)
        else next((f for f in places[1:] if f not in _FOLDERS), stem)
    )
    return pod, pod or said
