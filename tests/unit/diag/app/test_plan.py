"""Sessions packed together: what one of them needs around it costs the others nothing."""

from __future__ import annotations

from diag.app.many.intake import Digest
from diag.app.many.plan import plan_shards
from diag.model.instants import NS_PER_S
from diag.session.census import Census, IdUse
from tests.cases import START_NS

MINUTE_NS = 60 * NS_PER_S


def name(minute: int) -> str:
    return f"session_{START_NS // 1_000_000 + minute * 60_000}_abcdefghi"


def digest_of(number: int, uses: dict[str, IdUse]) -> Digest:
    span = (min(use.first_ns or 0 for use in uses.values()), max(use.last_ns or 0 for use in uses.values()))
    return Digest(number, entries=sum(use.lines for use in uses.values()), span=span, census=Census(uses))


def use(minute: int, minutes: int) -> IdUse:
    begin = START_NS + minute * MINUTE_NS
    return IdUse(10, begin, begin + minutes * MINUTE_NS, names_session=True)


def test_a_long_session_widens_the_stretch_of_no_short_one() -> None:
    digests = [digest_of(minute, {name(minute): use(minute, 1)}) for minute in range(120)]
    digests.append(digest_of(120, {name(500): use(0, 120)}))

    first, *others = plan_shards(digests, most_lines=100).shards

    assert [group.sessions for group in first.groups] == [(name(500),)]
    assert all(shard.end_ns - shard.start_ns <= 15 * MINUTE_NS for shard in others)
    assert all(len(shard.frames) <= 15 + 1 for shard in others)
    together = [text for shard in (first, *others) for group in shard.groups for text in group.sessions]
    assert sorted(together) == sorted([name(500), *map(name, range(120))])


def test_long_sessions_share_their_stretch() -> None:
    digests = [digest_of(minute, {name(minute): use(minute, 60)}) for minute in range(20)]

    assert [len(shard.groups) for shard in plan_shards(digests, most_lines=100).shards] == [10, 10]
