"""``diag catalogue``: is a catalogue right, and what would logs put into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diag.catalogue import load_catalogue, validate_files
from diag.model.catalogue_report import CatalogueReport
from diag.model.coverage import SourceCoverage
from diag.model.progress import Progress, ignore
from diag.model.proposal import Proposal
from diag.model.queries import LogQuery
from diag.model.settings import Settings
from diag.model.window import Window


@dataclass(frozen=True, slots=True)
class Learnt:
    """A proposal, and how much of the files was read for it."""

    proposal: Proposal
    source: SourceCoverage


def validate_catalogue(files: Sequence[str]) -> CatalogueReport:
    """Every problem of these catalogue files."""
    from diag.normalise.redaction import redact_text

    return validate_files(files, redact_text)


async def learn_catalogue(files: Sequence[str], settings: Settings, progress: Progress = ignore) -> Learnt:
    """What the log files have that the catalogue, a user's own included, does not know."""
    from diag.catalogue.learn import Learner
    from diag.normalise import redact_text, see_lines
    from diag.sources.files import Files

    catalogue = load_catalogue(settings.catalogue.files)
    learner, source = Learner(catalogue, redact_text), Files(files, progress)
    async for batch in source.read(LogQuery(Window(0, 0))):
        for line in see_lines(batch, catalogue):
            learner.add(line)
    return Learnt(learner.propose(), source.coverage())
