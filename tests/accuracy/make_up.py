"""What a world is made of, in rows for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median

from tests.accuracy.truth import NS_PER_S, Session, World


def describe_world(world: World) -> list[tuple[str, str]]:
    """Name and value of everything that decides how hard the world is."""
    return list(_rows(world))


def _rows(world: World) -> Iterator[tuple[str, str]]:
    sessions = world.sessions
    yield "sessions", _count((s.era for s in sessions), "era ")
    yield "their shape", _count(s.shape for s in sessions)
    yield "particulars", _count(trait for s in sessions for trait in s.traits)
    yield "sessions that lost an ID", str(sum(s.loss is not None for s in sessions))
    yield "sessions running at once", _running_at_once(sessions)
    yield "turns", str(sum(len(s.turns) for s in sessions))
    shared = [owners for owners in world.owners().values() if len(owners) > 1]
    yield "IDs that several sessions share", str(len(shared))
    yield from _line_rows(world)
    yield "Kafka records", _count(record.topic for record in world.records)
    yield "pods", _count(pod.service for pod in world.pods)
    yield "clocks", _clocks(world)


def _line_rows(world: World) -> Iterator[tuple[str, str]]:
    lines, lost = world.lines, [line for line in world.lines if not line.survived]
    yield "lines written", str(len(lines))
    yield "lines that never arrived", f"{len(lost)} ({len(lost) / len(lines):.2%}; by pod 0 % to 5 %)"
    bare = [line for line in lines if line.survived and line.owner is not None and not line.has_id]
    yield "lines of a session that name no ID", str(len(bare))
    strange = sum(line.owner is None for line in lines)
    yield "lines of no session", str(strange)


def _count(names: Iterable[str], prefix: str = "") -> str:
    counted = Counter(names)
    return ", ".join(f"{prefix}{name}: {counted[name]}" for name in sorted(counted))


def _running_at_once(sessions: Iterable[Session]) -> str:
    """Measured at each session's begin."""
    spans = [(session.begin_ns, session.end_ns) for session in sessions]
    at_once = [sum(begin <= at <= end for begin, end in spans) for at, _ in spans]
    return f"median {median(at_once):g}, most {max(at_once)}"


def _clocks(world: World) -> str:
    ahead = [pod.ahead_ns / NS_PER_S for pod in world.pods]
    drift = [pod.drift_ppm for pod in world.pods]
    return (
        f"{min(ahead):+.2f} s to {max(ahead):+.2f} s ahead of true time, "
        f"drifting {min(drift):+.1f} to {max(drift):+.1f} ppm"
    )
