"""Can the services' code and manifests be read?"""

from __future__ import annotations

import time

from diag.app.manifests import ManifestFiles
from diag.model.checkup import Answer, Health
from diag.model.coverage import State
from diag.model.settings import Settings

_MOST_S = 15.0


class BlueprintProbes:
    """What is meant to run, as far as somebody says where that stands."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def repository(self) -> Answer:
        """Its commit, and how much there is to look through; raises `SourceError`."""
        path = self._settings.repo.path
        if not path:
            return Answer(Health.NOT_ASKED, "no repository is named", "--repo PATH, or [repo] path")
        from diag.sources.repo import Limits, read_repository

        with read_repository(path, Limits(time.monotonic() + _MOST_S)) as repository:
            head, changed = repository.read_head(), repository.count_changed()
            files = repository.count_files()
        told = f"{path}: commit {head.commit.short} on {head.branch or 'no branch'}, {files} files"
        if changed:
            return Answer(
                Health.WARNING,
                f"{told}; {changed} are not as committed, and what is committed is read",
                "commit them, if they are what runs",
            )
        return Answer(Health.OK, told)

    def manifests(self) -> Answer:
        """How many objects there are, and what could not be read."""
        files = ManifestFiles(self._settings.manifests.path)
        files.read_now()
        coverage = files.coverage()
        if coverage.state is State.NOT_ASKED:
            return Answer(Health.NOT_ASKED, "no manifests are named", "--manifests DIR, or [manifests] path")
        told = f"{coverage.asked}: {coverage.got}" if coverage.got else coverage.notes[0]
        if coverage.state is State.COMPLETE:
            return Answer(Health.OK, told)
        if coverage.state is State.PARTIAL:
            return Answer(Health.WARNING, told, coverage.notes[0], partial=True)
        what, _, remedy = coverage.notes[0].rpartition("; ")
        return Answer(Health.FAILED, what or remedy, remedy)
