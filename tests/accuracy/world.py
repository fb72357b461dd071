"""A whole world from a seed: sessions that overlap, shared things among them, and what the log lost of it."""

from __future__ import annotations

import random

from tests.accuracy.background import tell_background
from tests.accuracy.cluster import BEGIN_NS, ERA_WEIGHTS, ERAS, Cluster, Socket, build_cluster
from tests.accuracy.deliveries import look_at_others
from tests.accuracy.identifiers import mint_connection, mint_frontend, mint_test, mint_trace
from tests.accuracy.losses import Plan, plan_loss
from tests.accuracy.mapping import tell_mappings
from tests.accuracy.story import Story
from tests.accuracy.telling import tell_media_session
from tests.accuracy.truth import (
    NEVER_SENT,
    NS_PER_MS,
    NS_PER_S,
    SESSION_INFO,
    WHIP_HEADER,
    Line,
    Pod,
    Record,
    Session,
    World,
)
from tests.accuracy.without_media import tell_grpc_session, tell_socket_session

BETWEEN_SESSIONS_NS = 3 * NS_PER_S // 2
_LOSSES = 0.45
_SERVICES_OF_ALL_ERAS = (
    "frontend-gateway", "media-server", "orchestrator", "stt-service", "llm-service", "tts-service",
    "logging-service",
)  # fmt: skip


def build_world(seed: int, sessions: int) -> World:
    """The world of a seed: the same arguments give the same world, to the byte."""
    rng = random.Random(f"accuracy/{seed}")
    cluster = build_cluster(rng)
    stories: list[Story] = []
    while len(stories) < sessions:
        stories += _tell_next(rng, cluster, seed, len(stories), [s.session for s in stories])
    for story in stories:
        look_at_others(story)
        tell_mappings(story)
    told = tuple(_close(story) for story in stories)
    end_ns = max(session.end_ns for session in told)
    lines = [line for session in told for line in session.lines]
    lines += tell_background(rng, cluster, end_ns)
    lines.sort(key=lambda line: (line.true_ns, line.pod.name))
    records = [record for session in told for record in session.records]
    broker = cluster.brokers[0]
    _place_records(records, broker)
    _fill_offsets(lines)
    _lose_lines(rng, lines)
    return World(seed, cluster.all_pods(), broker, told, lines, records)


def _tell_next(
    rng: random.Random, cluster: Cluster, seed: int, number: int, earlier: list[Session]
) -> list[Story]:
    """The next session, or the next few where they share something."""
    begin = BEGIN_NS + number * BETWEEN_SESSIONS_NS + rng.randrange(BETWEEN_SESSIONS_NS)
    match rng.random():
        case chance if chance < 0.008:
            return _tell_shared_socket(rng, cluster, seed, number, begin)
        case chance if chance < 0.018:
            return _tell_shared_trace(rng, cluster, seed, number, begin)
        case chance if chance < 0.022 and earlier:
            return [_tell_containing(cluster, seed, number, begin, earlier)]
    era = rng.choices(ERAS, ERA_WEIGHTS)[0]
    story = _begin(cluster, seed, number, begin, era)
    match story.rng.random():
        case chance if era == "C" and chance < 0.25:
            story.session.shape = "socket"
            lost = story.rng.random() < 0.1
            tell_socket_session(story, Plan(SESSION_INFO, NEVER_SENT) if lost else Plan())
        case chance if era in "BC" and chance > 0.92:
            story.session.shape = "grpc"
            tell_grpc_session(story)
        case _:
            lost = story.rng.random() < _LOSSES and "test client" not in story.session.traits
            tell_media_session(story, plan_loss(story.rng, era) if lost else Plan())
    return [story]


def _begin(cluster: Cluster, seed: int, number: int, begin: int, era: str, *, client: str = "") -> Story:
    """A session with its own chance, so that one session's telling never moves another's."""
    rng = random.Random(f"accuracy/{seed}/{number}")
    browser_ns = begin - rng.randint(50, 2500) * NS_PER_MS + rng.randint(-5000, 5000) * NS_PER_MS
    tests = rng.random() < 0.05
    session = Session(number, era, "media", client)
    if not client:
        session.client = mint_test(rng, browser_ns) if tests else mint_frontend(rng, browser_ns)
        if tests:
            session.traits.add("test client")
    pods = {service: cluster.pick(rng, service, era) for service in _SERVICES_OF_ALL_ERAS}
    traced = rng.random() < (0.95 if era == "fixed" else 0.6)
    return Story(session, cluster, rng, pods, begin, mint_trace(rng) if traced else "")


def _tell_containing(cluster: Cluster, seed: int, number: int, begin: int, earlier: list[Session]) -> Story:
    """A test client whose ID has another session's inside it: ``test_`` and a browser's ID."""
    inner = next(s.client for s in reversed(earlier) if s.client.startswith("session_"))
    story = _begin(cluster, seed, number, begin, "C", client=f"test_{inner}")
    story.session.traits |= {"test client", "ID inside an ID"}
    tell_media_session(story, Plan(WHIP_HEADER, NEVER_SENT))
    return story


def _tell_shared_trace(
    rng: random.Random, cluster: Cluster, seed: int, number: int, begin: int
) -> list[Story]:
    """A runner that starts several calls under one trace: all over media, or all over sockets alone."""
    era = rng.choice(ERAS)
    trace, alone = mint_trace(rng), era == "C" and rng.random() < 0.5
    stories = []
    for place in range(rng.randint(2, 6)):
        story = _begin(cluster, seed, number + place, begin + place * rng.randint(200, 9000) * NS_PER_MS, era)
        story.trace = trace
        story.session.traits.add("shared trace")
        if alone:
            story.session.shape = "socket"
            tell_socket_session(story, Plan())
        else:
            tell_media_session(story, Plan())
        stories.append(story)
    return stories


def _tell_shared_socket(
    rng: random.Random, cluster: Cluster, seed: int, number: int, begin: int
) -> list[Story]:
    """A kiosk that keeps one WebSocket for all its callers, each with media of their own."""
    era = rng.choice(("A", "B", "C"))
    pod = cluster.pick(rng, "orchestrator", era)
    shared = Socket(pod, mint_connection(pod.clock(begin)), begin, number)
    cluster.sockets.setdefault(pod.name, []).append(shared)
    stories = []
    for place in range(rng.randint(2, 6)):
        story = _begin(cluster, seed, number + place, begin + (place + 1) * 12 * NS_PER_S, era)
        story.pods["orchestrator"], story.open_socket = pod, shared
        story.session.traits.add("shared socket")
        story.own(shared.connection)
        story.trace = story.trace if story.rng.random() < 0.5 else ""
        tell_media_session(story, Plan(), shared_socket=True)
        stories.append(story)
    shared.closed_ns = max(story.now for story in stories)
    return stories


def _close(story: Story) -> Session:
    session = story.session
    session.lines.sort(key=lambda line: line.true_ns)
    session.begin_ns, session.end_ns = session.lines[0].true_ns, session.lines[-1].true_ns
    return session


def _place_records(records: list[Record], broker: Pod) -> None:
    """Offsets in the order in which the broker stored them, its own clock on each."""
    next_offset: dict[tuple[str, int], int] = {}
    for record in sorted(records, key=lambda one: (one.true_ns, one.owner)):
        place = (record.topic, record.partition)
        record.offset = next_offset.get(place, 0)
        next_offset[place] = record.offset + 1
        record.time_ns = broker.clock(record.true_ns)


def _fill_offsets(lines: list[Line]) -> None:
    """Lines that name a record say its offset."""
    for line in lines:
        for name, value in line.fields.items():
            if isinstance(value, Record):
                line.record = value
                line.fields[name] = value.offset


def _lose_lines(rng: random.Random, lines: list[Line]) -> None:
    """Each pod's share never arrives; what arrives has an insert ID."""
    for place, line in enumerate(lines):
        line.insert_id = f"{place:08x}{rng.getrandbits(32):08x}"
        line.survived = rng.random() >= line.pod.loss
