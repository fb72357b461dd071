"""What was said in a turn, as far as its lines carry it.

Contents are pseudonyms by now: a length, and digits that are the same for the same text. So it can be told
whether two texts are one, and not what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from diag.model.events import Event
from diag.model.turns import Saying, Words
from diag.session.events import stage_of, state_of

_SAID = re.compile(r"<said, (\d+) characters, [0-9a-f]{6}>")

HEARD, ASKED, ANSWERED, SPOKEN = "heard", "asked", "answered", "spoken"

_KEYS: Mapping[str, str] = {
    "transcript": HEARD, "transcription": HEARD, "final_transcript": HEARD, "finalTranscript": HEARD,
    "llm_input": ASKED, "prompt": ASKED,
    "llm_cleaned": ANSWERED, "cleaned_response": ANSWERED, "response": ANSWERED,
    "tts_input": SPOKEN,
}  # fmt: skip
"""Key -> whose words stand under it, on whatever line; best first."""

_PLACES: Mapping[tuple[str, str], str] = {
    ("stt", "complete"): HEARD,
    ("llm", "executing"): ASKED,
    ("llm", "complete"): ANSWERED,
    ("tts", "executing"): SPOKEN,
}
"""Whose words stand on a line that marks a stage's state, under whatever key."""

_STATES = {"stage.done": "complete", "stage.text": "complete", "stage.input": "executing"}


def find_words(steps: Sequence[Event]) -> Words:
    """The words of one turn; of several attempts the last one's, of a reply in pieces none."""
    found = [one for step in steps for one in _words_of(step)]
    spoken = [saying for part, saying, _ in found if part == SPOKEN]
    return Words(
        _choose(found, HEARD),
        _choose(found, ASKED),
        _choose(found, ANSWERED),
        spoken[0] if spoken and len({one.text for one in spoken}) == 1 else None,
    )


_Found = tuple[str, Saying, int]
"""A part, its words, and how well the key says so (0 is best)."""


def _choose(found: Iterable[_Found], part: str) -> Saying | None:
    """The last of those whose key tells best."""
    own = [(saying, rank) for one, saying, rank in found if one == part]
    best = min((rank for _, rank in own), default=0)
    return next((saying for saying, rank in reversed(own) if rank == best), None)


def _words_of(step: Event) -> Iterator[_Found]:
    known = {
        key: saying
        for key, value in step.entry.fields.items()
        if isinstance(value, str) and value.startswith("<said") and (saying := to_saying(value, step))
    }
    for rank, (key, part) in enumerate(_KEYS.items()):
        if not known:
            return
        if key in known:
            yield part, known.pop(key), rank
    place = _place_of(step)
    if place and len(known) == 1:
        yield place, known.popitem()[1], len(_KEYS)


def _place_of(step: Event) -> str:
    """Whose words a line carries by what it marks."""
    if step.name == "turn.trigger":
        return HEARD
    state = _STATES.get(step.name) or state_of(step)
    return _PLACES.get((stage_of(step), state), "") if state else ""


def to_saying(value: object, event: Event) -> Saying | None:
    """The pseudonym of something said; None for any other value."""
    match = _SAID.fullmatch(value) if isinstance(value, str) and value.startswith("<said") else None
    return Saying(match[0], int(match[1]), event) if match else None
