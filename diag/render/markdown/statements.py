"""Statements about the session: what is claimed, what was seen, and where.

A statement that could not be checked says so and why; it never becomes a yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diag.model.diagnosis import Diagnosis
from diag.model.events import Event
from diag.model.findings import Evidence, Outcome, Result
from diag.model.identifiers import IdKind, classify
from diag.model.session import Session
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.neutral import to_code, to_prose

MEDIA_SERVER, ORCHESTRATOR = "media-server", "orchestrator"
COVERAGE = "(coverage)"


@dataclass(frozen=True, slots=True)
class Statement:
    """One row: about what, what, the result in Markdown, and its evidence."""

    subject: str
    claim: str
    result: str
    evidence: str = ""


def _cite(index: EvidenceIndex, events: Iterable[Event]) -> str:
    return index.cite(event.to_evidence() for event in events)


def _not_read(diagnosis: Diagnosis, service: str) -> str | None:
    """Why silence of `service` proves nothing, if it does not."""
    if diagnosis.coverage.entries_of(service):
        return None
    return f"*not checked: no entries of the {service} were read*"


def outcome_of(diagnosis: Diagnosis, slug: str) -> Outcome | None:
    """What became of a check."""
    return next((one for one in diagnosis.outcomes if one.slug == slug), None)


def _evidence_of(diagnosis: Diagnosis, slug: str) -> tuple[Evidence, ...]:
    return tuple(e for finding in diagnosis.findings if finding.slug == slug for e in finding.evidence)


def searched(diagnosis: Diagnosis) -> str:
    """The ground of a claim of absence: how much was searched, and of what time."""
    records = sum(len(flow.records) for flow in diagnosis.session.flows)
    window = diagnosis.coverage.window
    where = f", {window.to_text()}" if window else ""
    kafka = f" and {records} records" if diagnosis.coverage.find("kafka") and records else ""
    return f"{diagnosis.coverage.entries_read()} entries{kafka}{where}"


def session_ids(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """Section "Session ID generation and handling"."""
    yield _form(diagnosis, index)
    yield _received(diagnosis, index)
    yield _socket(diagnosis, index)
    yield _nothing_lost(diagnosis, index)


def _form(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    own = diagnosis.session.own_forms
    claim = "IDs have the form `session_{timestamp}_{random}`" + (" or one of the catalogue's" if own else "")
    taken = diagnosis.session.named("whip.session")
    if not taken:
        reason = (
            _not_read(diagnosis, MEDIA_SERVER) or "*not checked: no WHIP request of this session was read*"
        )
        return Statement("Media server", claim, reason)
    ids = [text for event in taken for text in event.entry.ids_in("session")]
    good = [text for text in ids if _is_good(text, diagnosis.session)]
    origins = sorted(
        {"taken from the header" if e.value("origin") == "header" else "minted here" for e in taken}
    )
    verdict = "yes" if len(good) == len(ids) else "**no**"
    return Statement(
        "Media server",
        claim,
        f"{verdict}, {len(good)} of {len(ids)}, {' and '.join(origins)}",
        _cite(index, taken),
    )


def _received(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    claim = "works under the media server's ID"
    session = diagnosis.session
    whip_ids = {text for event in session.named("whip.session") for text in event.entry.ids_in("session")}
    reason = _not_read(diagnosis, ORCHESTRATOR)
    if not whip_ids:
        return Statement("Orchestrator", claim, reason or "*not checked: the media server's ID is not known*")
    consumed = session.named("kafka.consume", "turn.trigger", "turn.start")
    own = [event for event in consumed if whip_ids & set(event.entry.ids_in("session"))]
    if own:
        share = f"yes, {len(own)} of {len(consumed)} lines"
        return Statement("Orchestrator", claim, share, _cite(index, own[:3]))
    return Statement("Orchestrator", claim, reason or f"**no** line of it in {searched(diagnosis)}", COVERAGE)


def _is_good(text: str, session: Session) -> bool:
    return classify(text).kind in (IdKind.FRONTEND, IdKind.MEDIA) or session.fits_own_form(text)


def _socket(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    claim = "its WebSocket is bound to the session"
    session = diagnosis.session
    binds = session.named("ws.bind")
    if not binds:
        reason = _not_read(diagnosis, ORCHESTRATOR) or f"**no** binding line in {searched(diagnosis)}"
        return Statement("Frontend", claim, reason, "" if "not checked" in reason else COVERAGE)
    other = [event for event in binds if session.id not in event.entry.ids_in("session")]
    if other:
        bound = ", ".join(dict.fromkeys(to_code(t) for e in other for t in e.entry.ids_in("session")))
        return Statement("Frontend", claim, f"**no**: bound to {bound}", _cite(index, other))
    return Statement("Frontend", claim, f"yes, {len(binds)} of {len(binds)} bindings", _cite(index, binds))


def _nothing_lost(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    claim = 'no lost IDs ("undefined", empty and the like)'
    return Statement("", claim, *absence(diagnosis, index, "id-undefined", "none"))


def absence(diagnosis: Diagnosis, index: EvidenceIndex, slug: str, clear: str) -> tuple[str, str]:
    """Result and evidence of "there is none of this", by the outcome of its check."""
    outcome = outcome_of(diagnosis, slug)
    if outcome is None or outcome.result in (Result.SKIPPED, Result.CRASHED):
        return f"*not checked: {to_prose(outcome.reason if outcome else 'it did not run')}*", ""
    if outcome.result is Result.FOUND:
        return f"**found**: `{slug}`", index.cite(_evidence_of(diagnosis, slug))
    return f"{clear} in {searched(diagnosis)}", COVERAGE


def key_findings(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """The five key findings, each as a question that the evidence answers."""
    session = diagnosis.session
    turns = len(session.turns)
    for subject, slug, clear, unseen in (
        ("Session ID format", "id-malformed", "every ID has a known form", ""),
        ("Session tracking", "session-one-sided", "one ID or a proven link on both sides", ""),
        ("WebSocket mapping", "id-mismatch", _describe_mapping(session), _unseen_half(session)),
        ("Lost IDs", "id-undefined", "none", ""),
        (
            "Replies",
            "turn-no-reply",
            f"{turns} of {turns} turns, none without a reply",
            _unseen_turn(session),
        ),
    ):
        result, evidence = absence(diagnosis, index, slug, clear)
        seen = not unseen or result.startswith(("*", "**"))
        yield Statement(subject, "", *((result, evidence) if seen else (f"*not checked: {unseen}*", "")))


def _describe_mapping(session: Session) -> str:
    mapped = any(alias.rule.endswith("mapping") or alias.rule == "mapping line" for alias in session.aliases)
    return "two IDs, and a mapping between them that worked" if mapped else "socket and media carry one ID"


def _unseen_half(session: Session) -> str:
    """Why nothing can be said of socket and media together."""
    facets = session.facets
    if "ws.bind" not in facets:
        return "no socket of this session was seen"
    return "" if facets & {"whip", "publish", "listen"} else "no media of this session was seen"


def _unseen_turn(session: Session) -> str:
    if not session.turns:
        return "no turn was seen"
    return "" if any(turn.deliveries for turn in session.turns) else "no turn came to its end"
