"""A turn was answered with what belongs to other words.

What it tells
    Which turn got an old answer, and whose it was.

Why it matters
    The log calls the turn a success, and the caller hears the answer to an earlier question.

How it decides
    Contents are pseudonyms that are the same for the same text. In one turn the text sent to the TTS is
    not the reply that its LLM gave (``tts_input`` and ``llm_cleaned``), or the text sent to the LLM is an
    earlier turn's transcript. Where both are one and the same, other words that got the same long reply
    make it suspected, if the pipeline's session was created anew in between: that is how transcript and
    reply come to be kept where the running dialogue does not read them.

What can fool it
    Turns without IDs that interleave: their lines may be mixed up, so it is only suspected. Two turns
    with the same words are told from each other by nothing. Texts whose lengths differ by a few
    characters may differ in white space alone. A service that speaks a reply in pieces sends no piece
    that is the reply, and one that puts markup around each reply speaks none of them: there only an
    earlier turn's text counts. A short reply comes to many words.

What to do
    Look for the pipeline session that was created while a dialogue ran: a client sends session_info or
    start_listening again.
"""

from __future__ import annotations

from collections.abc import Iterator

from diag.checks.base import LOGS, ORCHESTRATOR, Check, CheckContext, any_of, to_evidence
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.instants import format_clock
from diag.model.session import Session
from diag.model.turns import Replay, Turn


def _run(context: CheckContext) -> Iterator[Finding]:
    found = [(turn, turn.replay) for turn in context.session.turns if turn.replay is not None]
    if found:
        yield _finding(context.session, found)


def _finding(session: Session, found: list[tuple[Turn, Replay]]) -> Finding:
    lines = [line for turn, replay in found for line in (*replay.lines, turn.trigger)]
    share = f"{len(found)} of {len(session.turns)} turns"
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED if any(one.proved for _, one in found) else Confidence.SUSPECTED,
        component=lines[0].entry.service or ORCHESTRATOR,
        title=f"{share} got an old answer",
        summary=f"{share} got an answer to other words: {_describe(found)}.",
        evidence=to_evidence(lines),
        remedy="see why the pipeline's session is created again while its dialogue runs",
        sessions=session.session_ids,
        subjects=tuple(sorted({line.entry.pod for line in lines if line.entry.pod})),
        began_ns=min(turn.start_ns for turn, _ in found) or None,
    )


def _describe(found: list[tuple[Turn, Replay]]) -> str:
    return "; ".join(dict.fromkeys(_tell(turn, replay) for turn, replay in found[:3]))


def _tell(turn: Turn, replay: Replay) -> str:
    whose = f" (that of {format_clock(replay.of_ns, 0)})" if replay.of_ns else ""
    return f"at {format_clock(turn.start_ns, 0)} {replay.how}{whose}"


CHECK = Check(
    slug="turn-stale-replay",
    title="a turn got an old answer",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(LOGS),
    run=_run,
)
