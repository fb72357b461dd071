"""``diag catalogue``: is a catalogue right, and what would logs put into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diag.catalogue import load_catalogue, validate_files
from diag.model.catalogue_report import CatalogueReport
from diag.model.coverage import SourceCoverage
from diag.model.progress import Progress, ignore
from diag.model.proposal import Proposal, SeenLine
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.model.settings import Settings
from diag.model.window import Window

if TYPE_CHECKING:
    from diag.catalogue.learn import Learner


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
    typed: list[tuple[LogRecord, ...]] = []  # standard input can be read once only
    async for batch in source.read(LogQuery(Window(0, 0))):
        _teach(learner, see_lines(batch, catalogue))
        typed += [batch] if batch and batch[0].origin.startswith("stdin:") else []
    if learner.is_crowded():
        learner = Learner(catalogue, redact_text, first=learner)
        for batch in typed:
            _teach(learner, see_lines(batch, catalogue))
        async for batch in Files([name for name in files if name != "-"], progress).read(
            LogQuery(Window(0, 0))
        ):
            _teach(learner, see_lines(batch, catalogue))
    return Learnt(learner.propose(), source.coverage())


def _teach(learner: Learner, lines: Iterable[SeenLine]) -> None:
    for line in lines:
        learner.add(line)
