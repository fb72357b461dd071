"""Era A's media -> frontend map: the ID's own socket, else the newest one of the pod, whoever's it is."""

from __future__ import annotations

import re

from tests.accuracy.story import Story
from tests.accuracy.truth import Line, Pod

_STAMP = re.compile(r"_([0-9]{10,19})")


def map_session(story: Story, media: str) -> None:
    """The lookup of one turn; told at last, when all sockets of the pod are known."""
    story.later.append(("map", story.now, story.pods["orchestrator"], media))
    story.now += 300_000


def tell_mappings(story: Story) -> None:
    """A first lookup may guess; later ones find what the first one stored, guess or not."""
    stored: dict[tuple[str, str], str] = {}
    for kind, true_ns, pod, media in story.later:
        if kind == "map":
            story.now = true_ns
            _tell_mapping(story, pod, media, stored)


def _tell_mapping(story: Story, pod: Pod, media: str, stored: dict[tuple[str, str], str]) -> None:
    sockets = [s for s in story.cluster.sockets.get(pod.name, ()) if s.bound_at(story.now)]
    bound = {socket.bound_at(story.now) for socket in sockets}
    known = stored.get((pod.name, media)) or (media if media in bound else "")
    if known:
        _say(story, pod, "Found existing session mapping", media, known)
        return
    if not bound:
        text = "Using media session ID as frontend session ID (no WebSocket mapping found)"
        _say(story, pod, text, media, media)
        return
    guess = max(bound, key=_stamp_of)
    stored[pod.name, media] = guess
    story.session.traits.add(
        "mapping guessed right" if guess in story.session.ids else "mapping guessed wrong"
    )
    _say(story, pod, "Created session mapping from WebSocket connection", media, guess)


def _stamp_of(text: str) -> tuple[int, str]:
    """Numerically largest wins: nanoseconds beat milliseconds."""
    found = _STAMP.search(text)
    return (int(found[1]) if found else 0, text)


def _say(story: Story, pod: Pod, text: str, media: str, frontend: str) -> Line:
    """Neither a guess nor the memory of one proves anything: such a line links nothing."""
    line = story.say(pod, text, level="debug" if text.startswith("Found") else "info")
    line.ids = {"media": media, "frontend": frontend}
    line.links = (line.trace,) if line.trace else ()
    return line
