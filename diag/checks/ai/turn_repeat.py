"""The same words got the same reply, turn after turn.

What it tells
    How many turns of the session have one transcript and one reply.

Why it matters
    A caller who says the same three times was not understood; a recogniser that hears the same three
    times does not listen.

How it decides
    Contents are pseudonyms that are the same for the same text: the same pair of transcript and reply in
    three turns or more.

What can fool it
    A caller may say "yes" three times and get one reply, which is why this is a warning. An old answer to
    new words is ``turn-stale-replay``, and such turns do not count here. Nor does a turn whose transcript
    and reply are one text: that is what a service writes that masks what was said.

What to do
    Listen to what the recogniser gets: see whether its transcripts come from a fixed set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from diag.checks.base import LOGS, ORCHESTRATOR, Check, CheckContext, any_of, to_evidence
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.turns import Turn

_FEWEST = 3


def _run(context: CheckContext) -> Iterator[Finding]:
    pairs: defaultdict[tuple[str, str], list[Turn]] = defaultdict(list)
    for turn in context.session.turns:
        heard, answered = turn.words.heard, turn.words.answered
        if heard is None or answered is None or turn.replay is not None:
            continue
        if heard.text != answered.text:
            pairs[heard.text, answered.text].append(turn)
    repeated = [turns for turns in pairs.values() if len(turns) >= _FEWEST]
    if repeated:
        yield _finding(context, repeated)


def _finding(context: CheckContext, repeated: list[list[Turn]]) -> Finding:
    session, most = context.session, max(map(len, repeated))
    said = [one for turns in repeated for turn in turns for one in (turn.words.heard, turn.words.answered)]
    lines = {one.event.entry.order: one.event for one in said if one is not None}
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=repeated[0][0].trigger.entry.service or ORCHESTRATOR,
        title=f"{most} turns with the same words and reply",
        summary=f"{most} of {len(session.turns)} turns have the same transcript and the same reply.",
        evidence=to_evidence(list(lines.values())),
        remedy="see whether the recogniser's transcripts come from a fixed set",
        sessions=session.session_ids,
    )


CHECK = Check(
    slug="turn-repeat",
    title="the same words got the same reply again and again",
    severity=Severity.WARNING,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(LOGS),
    run=_run,
)
