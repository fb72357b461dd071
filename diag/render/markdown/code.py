"""What the report says of the code: the commit, which functions do what, which files, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diag.model.cluster_view import PodView
from diag.model.code import CLAIMS, CodeFacts, CodePlace, FileFact, FunctionFact, Means
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Evidence
from diag.model.instants import format_instant
from diag.render.code import count_written, describe_age, describe_head
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.markdown.statements import COVERAGE, Statement
from diag.render.neutral import shorten, to_code, to_prose

VALIDATION = CLAIMS["session IDs are validated"]
_MOST_FUNCTIONS = 3
_LONGEST_SUBJECT = 80


def explain_missing(diagnosis: Diagnosis) -> str:
    """Why nothing can be said of the code."""
    source = diagnosis.coverage.find("repository")
    if source is None or source.state is State.NOT_ASKED:
        return "*not checked: no repository was named (`--repo`)*"
    return f"*not checked: {to_prose(source.notes[0] if source.notes else 'it was not read')}*"


def state_code(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """Section "Code implementation status"."""
    facts = diagnosis.code
    if facts is None:
        missing = explain_missing(diagnosis)
        for claim in (*CLAIMS, "sessions are tracked in the logs"):
            yield Statement("Code", claim, missing)
        return
    yield _state_commit(facts, diagnosis, index)
    for claim, events in CLAIMS.items():
        yield Statement("Code", claim, *judge_claim(facts, events, index))
    found, sought = count_written(facts, diagnosis.session)
    places = [place for text in facts.by_message.values() for place in text.places[:1]]
    tracked = f"{found} of the {sought} texts of this session stand in the code" if found else _unseen(facts)
    evidence = index.cite(map(facts.to_evidence, dict.fromkeys(places)), most=3)
    yield Statement("Code", "sessions are tracked in the logs", tracked, evidence or COVERAGE)


def _state_commit(facts: CodeFacts, diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    """A pod that started before the commit runs an image without it; of others nothing is known."""
    claim = "the code that was read is the code that ran"
    head = f"{to_prose(describe_head(facts))}: {to_code(shorten(facts.commit.subject, _LONGEST_SUBJECT))}"
    pods = diagnosis.cluster.pods if diagnosis.cluster else ()
    older = [pod for pod in pods if _began_before(pod, facts.commit.time_ns)]
    if older:
        named = ", ".join(to_code(pod.name) for pod in older[:_MOST_FUNCTIONS])
        told = f"**no**: {head}; it is younger than {len(older)} of {len(pods)} pods: {named}"
        return Statement("Commit", claim, told, index.cite(map(_to_evidence, older)))
    age = to_prose(describe_age(facts, diagnosis.session))
    return Statement("Commit", claim, f"*not provable*: {head}; {age}", COVERAGE)


def _began_before(pod: PodView, at_ns: int) -> bool:
    return pod.pod is not None and pod.pod.started_ns is not None and pod.pod.started_ns < at_ns


def _to_evidence(pod: PodView) -> Evidence:
    began_ns = pod.pod.started_ns if pod.pod else None
    return Evidence(began_ns or 0, f"{pod.ref}:status.startTime", "kubernetes", "started")


def _unseen(facts: CodeFacts) -> str:
    if not facts.searched:
        return "*not checked: the files of the repository were not looked through*"
    if facts.left_out:
        return f"*not checked*: no line of {facts.searched} files writes such a text; others were not read"
    return f"*not seen*: no line of {facts.searched} files writes such a text"


def judge_claim(facts: CodeFacts, events: Iterable[str], index: EvidenceIndex) -> tuple[str, str]:
    """By the functions that write the lines of these events: who calls them, or that nobody is seen to."""
    texts = facts.writing(frozenset(events))
    places = list(dict.fromkeys(place for text in texts for place in text.places))
    if not places:
        return _unseen(facts), COVERAGE
    shown = places[:_MOST_FUNCTIONS]
    told = dict.fromkeys(_describe_function(place, facts.function_of(place)) for place in shown)
    callers = [
        p for place in shown if (f := facts.function_of(place)) for p in (f.callers or f.elsewhere)[:1]
    ]
    more = f"; {len(places) - len(shown)} more places" if len(places) > len(shown) else ""
    return "; ".join(told) + more, index.cite(map(facts.to_evidence, dict.fromkeys((*shown, *callers))))


def _describe_function(place: CodePlace, function: FunctionFact | None) -> str:
    if function is None or not place.function:
        return f"{to_code(place.ref)} writes it, in no function that is known"
    name = to_code(place.function)
    doubt = " (by text, no proof)" if place.means is Means.TEXT else ""
    if function.callers:
        count = len(function.callers)
        places = f"{count} place{'' if count == 1 else 's'}"
        if function.unreached:
            return (
                f"{name} exists and is called in {places}, **all in code that nobody is seen to call**{doubt}"
            )
        return f"{name} exists and is called in {places}{doubt}"
    if function.called_outside:
        return f"{name} exists; {to_prose(function.called_outside)}{doubt}"
    if function.elsewhere:
        return f"{name} exists; something of its name is called, *whether it is this one is not checked*"
    tests = f", {function.from_tests} in tests" if function.from_tests else ""
    return f"{name} exists, **no caller was seen**{tests}{doubt}"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of the section "Files Verified"."""

    path: str
    blob: str
    last: str
    when: str


def build_file_rows(facts: CodeFacts | None) -> tuple[FileRow, ...]:
    """The files that were asked for and those that write the session's lines; what is missing says so."""
    return tuple(_to_file_row(file, facts) for file in facts.files) if facts else ()


def _to_file_row(file: FileFact, facts: CodeFacts) -> FileRow:
    if not file.blob:
        return FileRow(to_code(file.path), "**not in this commit**", "", "")
    if file.last is None:
        known = "beyond the shallow clone" if facts.shallow else "not among the latest commits"
        return FileRow(to_code(file.path), to_code(file.blob[:10]), f"*{known}*", "")
    last = f"{to_code(file.last.short)} {to_code(shorten(file.last.subject, _LONGEST_SUBJECT))}"
    return FileRow(to_code(file.path), to_code(file.blob[:10]), last, format_instant(file.last.time_ns, 0))
