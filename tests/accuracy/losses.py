"""Which ID gets lost at which hop, and how: all kinds at every hop where the system knows them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.accuracy.identifiers import mint_fallback, mint_media, spoil
from tests.accuracy.story import Story
from tests.accuracy.truth import (
    KAFKA_KEY,
    LISTENING_BODY,
    NEVER_SENT,
    NOT_READ,
    REMINTED,
    SESSION_INFO,
    STRINGIFIED,
    TRUNCATED,
    UNIT_CHANGED,
    WHIP_HEADER,
)

_ALL = (NEVER_SENT, NOT_READ, REMINTED, TRUNCATED, STRINGIFIED, UNIT_CHANGED)
_SPOILS = (REMINTED, TRUNCATED, STRINGIFIED, UNIT_CHANGED)

KINDS = {
    WHIP_HEADER: _ALL,
    # without an ID in the body the media server answers 400 and writes no line; it always reads one
    LISTENING_BODY: _SPOILS,
    SESSION_INFO: _ALL,
    KAFKA_KEY: _ALL,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be lost in a session; hop empty: nothing."""

    hop: str = ""
    kind: str = ""

    def at(self, hop: str) -> bool:
        """Whether this is the hop."""
        return self.hop == hop


def plan_loss(rng: random.Random, era: str) -> Plan:
    """A hop and a kind that the era's services can show."""
    hops = [
        hop
        for hop in KINDS
        if not (hop == LISTENING_BODY and era == "fixed") and not (hop == KAFKA_KEY and era in "BC")
    ]
    hop = rng.choice(hops)
    return Plan(hop, rng.choice(KINDS[hop]))


def hand_out(story: Story, plan: Plan) -> None:
    """Give every hop the client's ID, but for the one that loses it."""
    client = story.session.client
    story.media = story.listen = story.socket = client
    spoilt = spoil(story.rng, client, plan.kind) if plan.kind in _SPOILS else ""
    if plan.at(WHIP_HEADER):
        clock = story.pods["media-server"].clock(story.now)
        story.media = spoilt or mint_media(story.rng, clock)
        if plan.kind == NEVER_SENT and story.rng.random() < 0.4:
            story.listen = story.media  # a client of the same origin can read the answer's header
    elif plan.at(LISTENING_BODY):
        story.listen = spoilt
    elif plan.at(SESSION_INFO):
        story.socket = spoilt or client
    story.key = story.media
    if plan.at(KAFKA_KEY) and plan.kind != NOT_READ:
        story.key = spoilt or None
    story.own(client, story.media, story.listen, story.socket, story.key)


def consumed_as(story: Story, plan: Plan) -> str:
    """The ID that the orchestrator gives to consumed audio."""
    if plan == Plan(KAFKA_KEY, NOT_READ):
        minted = mint_fallback(story.pods["orchestrator"].clock(story.now))
        story.own(minted)
        return minted
    return story.key or ""
