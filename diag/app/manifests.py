"""What a folder of manifests adds to a session: what is meant to run, against what does."""

from __future__ import annotations

import asyncio
import time
from threading import Event as Flag

from diag.app.entries import INTERRUPTED
from diag.errors import SourceError
from diag.model.coverage import SourceCoverage, State
from diag.model.manifests import SLUG, Manifests

_LONGEST_S = 20.0
_MOST_NAMED = 3


class ManifestFiles:
    """What the folder gave. A failure is an answer, too."""

    def __init__(self, path: str, *, interrupted: bool = False) -> None:
        self.facts: Manifests | None = None
        self._path = path
        self._stopped = Flag()
        self._problem = INTERRUPTED if interrupted else ""

    async def read(self) -> None:
        """All objects, in a thread: a long file holds nobody up. Nothing after an interruption."""
        if not self._path or self._problem:
            return
        work = asyncio.create_task(asyncio.to_thread(self.read_now))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stopped.set()
            await work
            self._problem = self._problem or INTERRUPTED

    def read_now(self) -> None:
        """The same in this thread."""
        if not self._path:
            return
        from diag.sources.manifests import read_manifests

        deadline = time.monotonic() + _LONGEST_S

        def check() -> None:
            if self._stopped.is_set():
                raise SourceError(INTERRUPTED)
            if time.monotonic() > deadline:
                raise SourceError(f"it took longer than {_LONGEST_S:g} s", hint="name a smaller folder")

        try:
            self.facts = read_manifests(self._path, check)
        except SourceError as error:
            self._problem = f"{error}; {error.hint}" if error.hint else str(error)

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        if not self._path:
            return SourceCoverage(SLUG, State.NOT_ASKED, notes=("no manifests were named (--manifests)",))
        if self.facts is None:
            state = State.PARTIAL if self._problem == INTERRUPTED else State.FAILED
            return SourceCoverage(SLUG, state, self._path, notes=(self._problem,))
        facts = self.facts
        notes = tuple(f"{one.path}: {one.reason}" for one in (*facts.not_read, *facts.doubled)[:_MOST_NAMED])
        more = len(facts.not_read) + len(facts.doubled) - len(notes)
        return SourceCoverage(
            source=SLUG,
            state=State.PARTIAL if facts.not_read or facts.cut else State.COMPLETE,
            asked=self._path,
            got=f"{len(facts.objects)} objects in {facts.files} files",
            objects=len(facts.objects),
            notes=(*filter(None, [facts.cut]), *notes, *([f"{more} more such places"] if more > 0 else ())),
        )
