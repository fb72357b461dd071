"""Pages of entries, within the quota, with an account of what came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from diag.errors import SourceError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.settings import ClusterSettings, LoggingSettings
from diag.model.window import Window
from diag.sources.cloud_logging.asking import Asker
from diag.sources.cloud_logging.filters import build_filters
from diag.sources.cloud_logging.paging import SLUG, Batch, Paging
from diag.sources.cloud_logging.slices import MOST_SLICES

_KEPT = "what had been read before was taken from the cache; --no-cache reads it anew"


class CloudLogging:
    """The entries of one project or several. Implements `diag.model.queries.LastingSource`."""

    def __init__(
        self,
        settings: LoggingSettings,
        cluster: ClusterSettings,
        catalogue: Catalogue,
        progress: Progress = ignore,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._catalogue = catalogue
        self._progress = progress
        self._asker = Asker(settings, progress)
        self._window: Window | None = None
        self._entries = 0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._failed = False
        self._kept = 0
        self._cuts = 0
        self._whole: set[LogQuery] = set()

    async def read(self, query: LogQuery) -> AsyncIterator[Batch]:
        """The entries of `query`; a failure ends the iteration and stands in the coverage."""
        if not query.events:  # they are of a wider window, and no lines of anybody
            self._widen(query.window)
        self._whole.discard(query)
        if self._failed:
            return  # what was refused once is not asked again in the same run
        cuts = self._cuts
        try:
            for number in range(len(self.filters(query))):
                async for batch in self._read_filter(number, query):
                    yield batch
        except SourceError as error:
            self._failed = True
            self._problems.append(f"{error}; {error.hint}" if error.hint else str(error))
        else:
            if self._cuts == cuts and not self._asker.problems:
                self._whole.add(query)

    def identify(self, query: LogQuery) -> str:
        """Endpoint, projects and filters, as they would be for no window at all."""
        timeless = self.filters(replace(query, window=Window(0, 0)))
        return "\n\n".join((self._settings.endpoint, self._projects, *timeless))

    def gave_all(self, query: LogQuery) -> bool:
        """Whether every page of `query` was read."""
        return query in self._whole

    def credit(self, window: Window, entries: int) -> None:
        """Count what an earlier run had read of `window`."""
        self._widen(window)
        self._kept += entries
        self._entries += entries
        self.note(_KEPT)

    def note(self, text: str) -> None:
        """Say it in the coverage, once."""
        self._notes.append(text)

    def _widen(self, window: Window) -> None:
        self._window = window if self._window is None else self._window.union(window)

    def filters(self, query: LogQuery) -> tuple[str, ...]:
        """What the service gets for `query`, as it gets it."""
        return build_filters(query, self._cluster, self._settings.resources, self._catalogue)

    def most_pages(self, query: LogQuery) -> int:
        """Requests that each filter of `query` may take."""
        return query.max_pages or self._settings.max_pages

    @property
    def most_slices(self) -> int:
        """Into how many parts, asked for side by side, a window is cut at most."""
        return MOST_SLICES

    @property
    def where(self) -> str:
        """Projects, location, cluster and namespace, as far as they are named."""
        cluster = self._cluster
        parts = (self._projects, cluster.location, cluster.name, cluster.namespace)
        return "/".join(part for part in parts if part)

    @property
    def _projects(self) -> str:
        return ",".join(one.label for one in self._settings.resources)

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        problems = (*self._asker.problems, *self._problems)
        state = State.COMPLETE
        if self._failed:
            state = State.PARTIAL if self._entries else State.FAILED
        elif problems:
            state = State.PARTIAL
        return SourceCoverage(
            source=SLUG,
            state=state,
            asked=f"{self.where}, {self._window.to_text()}" if self._window else self.where,
            got=f"{self._asker.requests} requests" + (f", {self._kept} from the cache" if self._kept else ""),
            entries=self._entries,
            notes=tuple(dict.fromkeys((*problems, *self._notes))),
            requests=self._asker.requests,
        )

    async def _read_filter(self, number: int, query: LogQuery) -> AsyncIterator[Batch]:
        """The entries of one of the query's filters."""
        most = self.most_pages(query)
        self._tell_progress(query)
        paging = Paging(self._asker.fetch, partial(self._write, number, query), query.window, most)
        async for batch in paging.batches():
            self._entries += 0 if query.events else len(batch)
            self._tell_progress(query)
            yield batch
        if paging.unread:
            self._cuts += 1
            told = (
                f"{query.what or 'query'}: more than {most} pages; {_describe(paging.unread, query.window)}"
            )
            # a query that may spend only so much asks for what helps, not for what a verdict stands on
            (self._notes if query.max_pages else self._problems).append(told)

    def _write(self, number: int, query: LogQuery, window: Window) -> str:
        """A filter of the query for a part of its window: as long as for all of it, so it is the same one."""
        return self.filters(replace(query, window=window))[number]

    def _tell_progress(self, query: LogQuery) -> None:
        self._progress(
            f"reading Cloud Logging: {query.what or 'entries'}, {self._asker.requests} requests, "
            f"{self._entries} entries"
        )


def _describe(unread: tuple[Window, ...], window: Window) -> str:
    if len(unread) == 1 and unread[0].end_ns == window.end_ns:
        return "the rest was not read"
    return f"not read: {'; '.join(window.to_text() for window in unread)}"
