"""What a repository adds to a session: the commit, where its lines are written, and who calls that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from threading import Event as Flag
from typing import TYPE_CHECKING

from diag.app.entries import INTERRUPTED
from diag.errors import SourceError
from diag.model.catalogue import Catalogue
from diag.model.code import REPOSITORY, CodeFacts, LogText
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.events import Event
from diag.model.progress import Progress
from diag.model.session import Attribution, Session
from diag.model.settings import RepoSettings
from diag.normalise.redaction import redact_text

if TYPE_CHECKING:
    from diag.code import Survey
    from diag.sources.repo import Limits, Repository, Texts, Tree

_MOST_FILES = 40
_MOST_TEXTS = 2_000
_MOST_NAMED = 3


class Code:
    """What the repository gave so far. A failure is an answer, too."""

    def __init__(
        self, settings: RepoSettings, catalogue: Catalogue, progress: Progress, *, interrupted: bool = False
    ) -> None:
        self.interrupted = interrupted
        self.facts: CodeFacts | None = None
        self._settings, self._catalogue, self._progress = settings, catalogue, progress
        self._stopped = Flag()
        self._problems = [INTERRUPTED] if interrupted else []
        self._notes: list[str] = []

    async def read(self, session: Session | None) -> None:
        """All that the session asks of it; without a session its head alone.

        Nothing after an interruption; one that comes ends the reading, and what came stays.
        """
        if not self._settings.path or self.interrupted:
            return
        self._progress("reading the repository")
        work = asyncio.create_task(asyncio.to_thread(self._read, session))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stopped.set()
            await work
            self.interrupted, self._problems = True, [INTERRUPTED]

    def _read(self, session: Session | None) -> None:
        """In a thread: git and the parser hold nobody up."""
        from diag.sources.repo import Limits, read_repository

        limits = Limits(time.monotonic() + self._settings.timeout_s, self._stopped)
        try:
            with read_repository(self._settings.path, limits) as repository:
                self.facts = repository.read_head()
                if session is not None:
                    self.facts = self._read_all(repository, self.facts, session, limits)
        except SourceError as error:
            self._tell(error)

    def _read_all(
        self, repository: Repository, head: CodeFacts, session: Session, limits: Limits
    ) -> CodeFacts:
        from diag.code import survey_code

        tree, texts = repository.read_files()  # first: what is too much for it is too much for all
        self._note_left_out(tree, texts)
        try:
            head = replace(head, changed=repository.count_changed())
        except SourceError as error:
            self._tell(error)
        self.facts = head
        survey = survey_code(
            texts.by_path, self._list_texts(session.events), clean=redact_text, check=limits.check
        )
        self._note_unparsed(survey)
        self.facts = replace(
            head,
            searched=len(texts.by_path),
            left_out=texts.beyond + tree.missing + tree.cut,
            texts=survey.texts,
            functions=survey.functions,
        )
        files = repository.read_history(tree, self._name_files(survey))
        return replace(self.facts, files=files)

    def _list_texts(self, events: Iterable[Event]) -> list[LogText]:
        """The session's own first: it comes to them before there is too much."""
        from diag.code import to_known_texts, to_text

        own = [to_text(one.entry.message, one.entry.service, self._catalogue) for one in events]
        own = list(dict.fromkeys(own))
        if len(own) > _MOST_TEXTS:
            self._problems.append(f"of the session's {len(own)} texts {_MOST_TEXTS} were looked for")
        services = sorted({text.service for text in own})
        return list(dict.fromkeys((*own[:_MOST_TEXTS], *to_known_texts(self._catalogue, services))))

    def _name_files(self, survey: Survey) -> tuple[str, ...]:
        written = dict.fromkeys(place.path for text in survey.texts for place in text.places)
        return (*self._settings.files, *list(written)[:_MOST_FILES])

    def _tell(self, error: SourceError) -> None:
        self._problems.append(f"{error}; {error.hint}" if error.hint else str(error))

    def _note_left_out(self, tree: Tree, texts: Texts) -> None:
        """What was not looked through: by design a note, otherwise a problem."""
        if tree.cut or texts.beyond:
            self._problems.append(
                f"{texts.beyond or 'some'} files were too much together, and not looked through"
            )
        if tree.missing:
            self._problems.append(
                f"{tree.missing} files are not there, as in a partial clone; git fetch brings them"
            )
        if tree.submodules:
            named = _name(tree.submodules)
            self._notes.append(f"submodules are repositories of their own and were not entered: {named}")
        left = {"binary": texts.binary, "large": texts.large, "symbolic links": tree.links}
        told = ", ".join(f"{count} {what}" for what, count in left.items() if count)
        if told:
            self._notes.append(f"not looked through: {told}")

    def _note_unparsed(self, survey: Survey) -> None:
        if survey.problems:
            first = next(iter(survey.problems))
            told = f"{len(survey.problems)} files were not parsed and looked through as text"
            self._notes.append(f"{told}, the first {first} ({survey.problems[first]})")

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        if not self._settings.path:
            return SourceCoverage(REPOSITORY, State.NOT_ASKED, notes=("no repository was named (--repo)",))
        notes = (*self._problems, *self._notes)
        if self.facts is None:
            state = State.PARTIAL if self.interrupted else State.FAILED
            return SourceCoverage(REPOSITORY, state, self._settings.path, notes=notes)
        return SourceCoverage(
            source=REPOSITORY,
            state=State.PARTIAL if self._problems else State.COMPLETE,
            asked=self._settings.path,
            got=_describe(self.facts),
            objects=self.facts.searched,
            notes=notes,
        )


def _describe(facts: CodeFacts) -> str:
    branch = facts.branch or "detached"
    parts = [f"commit {facts.commit.short} ({branch})"]
    if facts.searched:
        parts.append(f"{facts.searched} files")
    if facts.changed:
        files = "file" if facts.changed == 1 else "files"
        parts.append(f"{facts.changed} {files} not as committed (what is committed was read)")
    if facts.shallow:
        parts.append("a shallow clone")
    return ", ".join(parts)


def _name(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def tie_to_lines(diagnosis: Diagnosis, catalogue: Catalogue) -> Diagnosis:
    """The diagnosis with where each line of its timeline is written."""
    facts = diagnosis.code
    if facts is None:
        return diagnosis
    from diag.code import to_text

    known = {(text.log.service, text.log.text): text for text in facts.texts}
    by_message = {}
    for one in diagnosis.session.timeline:
        entry = one.event.entry if isinstance(one, Attribution) else one.entry
        key = entry.service, entry.message
        if key not in by_message:
            sought = to_text(entry.message, entry.service, catalogue)
            by_message[key] = known.get((sought.service, sought.text))
    found = {key: text for key, text in by_message.items() if text is not None}
    return replace(diagnosis, code=replace(facts, by_message=found))
