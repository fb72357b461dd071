"""A whole session of a caller with media and a socket."""

from __future__ import annotations

from tests.accuracy.comings import come_back, pass_gateway
from tests.accuracy.era_a_turns import tell_era_a
from tests.accuracy.fixed_turns import tell_fixed
from tests.accuracy.losses import Plan, consumed_as, hand_out
from tests.accuracy.story import Story
from tests.accuracy.truth import (
    KAFKA_KEY,
    LISTENING_BODY,
    LOST_TEXTS,
    NEVER_SENT,
    NOT_READ,
    SESSION_INFO,
    WHIP_HEADER,
    Line,
    Loss,
    Record,
    Turn,
)
from tests.accuracy.turns import tell_trigger
from tests.accuracy.websocket import (
    announce,
    announce_nothing,
    announce_unread,
    close_socket,
    open_socket,
    start_listening,
)
from tests.accuracy.whip import close_media, consume, listen, open_media, publish, stop_listening

_PACKETS = 4
_INTERLEAVES = 0.06


def tell_media_session(story: Story, plan: Plan, *, shared_socket: bool = False) -> None:
    """A caller over WHIP whose replies go to a WebSocket."""
    hand_out(story, plan)
    anchors = pass_gateway(story)
    refused = story.session.client if plan == Plan(WHIP_HEADER, NOT_READ) and story.fixed else ""
    minted = plan.at(WHIP_HEADER) and plan.kind in (NEVER_SENT, NOT_READ)
    named = open_media(story, minted=minted, refused=refused)
    if not shared_socket:
        open_socket(story)
    announced = _announce(story, plan)
    listened = None if story.fixed else listen(story)
    if not plan.at(LISTENING_BODY) and listened is not None:
        anchors.append(listened)
    consumed, records = _tell_turns(story, plan)
    _end(story, keep_socket=shared_socket)
    witnesses: dict[str, list[Line]] = {
        WHIP_HEADER: [named],
        LISTENING_BODY: [listened] if listened else [],
        SESSION_INFO: [announced],
        KAFKA_KEY: consumed,
    }
    if plan.hop:
        kept = tuple(records) if plan.at(KAFKA_KEY) else ()
        seen = _seen_at(story, plan, consumed)
        story.session.loss = Loss(
            plan.hop, plan.kind, story.session.client, seen, tuple(witnesses[plan.hop]), kept, tuple(anchors)
        )


def _seen_at(story: Story, plan: Plan, consumed: list[Line]) -> str:
    if plan.at(KAFKA_KEY):
        return consumed[0].ids.get("session", "") if consumed else story.key or ""
    if plan == Plan(SESSION_INFO, NOT_READ):
        return ""
    return {WHIP_HEADER: story.media, LISTENING_BODY: story.listen, SESSION_INFO: story.socket}[plan.hop]


def _announce(story: Story, plan: Plan) -> Line:
    story.wait(10, 200)
    if plan == Plan(SESSION_INFO, NEVER_SENT):
        return announce_nothing(story)
    if plan == Plan(SESSION_INFO, NOT_READ):
        return announce_unread(story)
    line = announce(story)
    start_listening(story)
    return line


def _tell_turns(story: Story, plan: Plan) -> tuple[list[Line], list[Record]]:
    consumed: list[Line] = []
    records: list[Record] = []
    sid = consumed_as(story, plan)
    for number in range(1, story.rng.randint(2, 4)):
        story.wait(1500, 6000)
        if number > 1 and not plan.hop:
            come_back(story)
        if story.fixed:
            turn, line, record = tell_fixed(story, sid, number)
            story.session.turns.append(turn)
            consumed.append(line)
            records.append(record)
            continue
        lines, stored = _stream(story, sid)
        consumed += lines
        records += stored
        if story.session.era == "A" and sid:
            story.session.turns.append(tell_era_a(story, sid))
        elif story.session.era != "A":
            _trigger(story)
    return consumed, records


def _stream(story: Story, sid: str) -> tuple[list[Line], list[Record]]:
    """Packets of one stretch of speech. Eras B and C publish while listening is on, era A always."""
    if story.session.era != "A" and story.listen != story.media:
        return [], []
    lines, records = [], []
    for _ in range(_PACKETS):
        record, _ = publish(story)
        lines.append(consume(story, record, sid))
        records.append(record)
        story.wait(900, 1005)
    return lines, records


def _trigger(story: Story) -> None:
    """The client's own transcript starts the turn, under the ID of its socket or of the call."""
    sid = story.rng.choice((story.socket, story.session.client))
    if sid in LOST_TEXTS:
        sid = story.session.client
    begin = story.now
    turns = [tell_trigger(story, sid)]
    if story.rng.random() < _INTERLEAVES:
        end, story.now = story.now, begin + 120_000_000
        turns.append(tell_trigger(story, sid))
        story.now = max(story.now, end)
        turns = [Turn(turn.start, turn.end, turn.stages, interleaved=True) for turn in turns]
    story.session.turns += turns


def _end(story: Story, *, keep_socket: bool) -> None:
    story.wait(300, 4000)
    if not story.fixed:
        stop_listening(story)
    if not keep_socket:
        close_socket(story)
    close_media(story)
