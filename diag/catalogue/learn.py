"""Log lines -> a proposal for a catalogue: the same lines in any order give the same proposal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from diag.catalogue.bounded import Weights
from diag.catalogue.id_keys import MESSAGE, FoundKeys, KeyFinder
from diag.catalogue.mask import Masked, mask_message
from diag.catalogue.templates import Template, TemplateMiner
from diag.catalogue.wording import has_words, ids_in_slots, to_line
from diag.model.catalogue import Catalogue
from diag.model.proposal import Proposal, ProposedLine, ProposedService, SeenLine

# The first of these that a service's name holds tells its side; a guess, and printed as one.
_SIDE_WORDS = (
    ("stt", "stt|asr|transcri|recogni|speech-to-text|whisper"),
    ("tts", "tts|synth|text-to-speech|piper"),
    ("llm", "llm|gpt|nlu|nlg|ollama|inference|prompt"),
    ("media", "media|gateway|rtc|livekit|whip|sip|rtp|pbx|freeswitch|asterisk|telephon|voice|audio"),
    ("frontend", "frontend|front-end|browser|webapp|client"),
    ("broker", "kafka|redpanda|broker"),
    ("results", "result|storage|store|archive|logging"),
)
_ELSE = "orchestrator"

MOST_LINES = 300
"""Entries proposed for one service, the most frequent ones: nobody reads more."""


class Learner:
    """Takes lines, gives a proposal. Memory is bounded by the bounds of what it counts with.

    Args:
        catalogue: what is known already.
        clean: what redaction makes of a message.
        first: a learner that took the same lines before and had to drop some: now it is known which
            texts are frequent.
    """

    def __init__(
        self, catalogue: Catalogue, clean: Callable[[str], str] = str, first: Learner | None = None
    ) -> None:
        self._catalogue = catalogue
        self._clean = clean
        self._miner = TemplateMiner(weights=first.weights if first else None)
        self._keys = KeyFinder(catalogue.id_roles)
        self._lines = self._known = self._unreadable = self._empty = 0

    @property
    def weights(self) -> Weights:
        """How often each text came."""
        return self._miner.weights

    def is_crowded(self) -> bool:
        """Whether there were more different texts than are kept, so that a second pass is worth it."""
        return self._miner.added > sum(one.count for one in self._miner.mine())

    def add(self, line: SeenLine) -> None:
        """One more line."""
        self._lines += 1
        if not line.readable:
            self._unreadable += 1
            return
        self._keys.add(line.service, line.values)
        if not line.message or _is_broken(line.message):
            self._empty += 1
        elif self._knows(line):
            self._known += 1
        else:
            self._add_unknown(line)

    def _add_unknown(self, line: SeenLine) -> None:
        if line.message in self._catalogue.exact:  # another service's: it keeps its text and its event
            self._miner.add(line.service, Masked((line.message,), ()))
            return
        masked = mask_message(line.message)
        self._keys.add(line.service, ids_in_slots(masked), MESSAGE)
        self._miner.add(line.service, masked)

    def _knows(self, line: SeenLine) -> bool:
        """Whether a line of this service is understood; another service's like text is only a hint."""
        found = self._catalogue.find(line.message, line.service)
        return found is not None and found[0].service in ("", line.service)

    def propose(self) -> Proposal:
        """What was learnt."""
        keys = self._keys.find()
        templates = self._miner.mine(keys.holds)
        telling = [one for one in templates if has_words(one.parts)]
        kept = sum(one.count for one in templates)
        all_lines: defaultdict[str, list[ProposedLine]] = defaultdict(list)
        for one in telling:
            all_lines[one.service].append(self._to_line(one, keys))
        by_service = {name: _choose_frequent(lines) for name, lines in all_lines.items()}
        proposed = sum(line.count for lines in by_service.values() for line in lines)
        worded = sum(one.count for one in telling)
        exact = {line.text for lines in by_service.values() for line in lines if not line.pattern}
        return Proposal(
            services=tuple(
                ProposedService(name, self._side_of(name), tuple(self._settle(lines, exact)))
                for name, lines in sorted(by_service.items())
            ),
            keys=keys.new,
            lines=self._lines,
            known=self._known,
            unreadable=self._unreadable,
            unnamed=self._empty + kept - worded,
            dropped=self._miner.added - kept + worded - proposed,
        )

    def _to_line(self, template: Template, keys: FoundKeys) -> ProposedLine:
        line = to_line(template, keys.key_of, frozenset(self._catalogue.id_roles))
        known = self._catalogue.exact.get(line.text, ()) if not line.pattern else ()
        if not known:
            return line
        like = known[0]
        return ProposedLine(line.text, line.count, like.event, attributes=like.attributes, shows=like.shows)

    def _settle(self, lines: Sequence[ProposedLine], exact: set[str]) -> Iterable[ProposedLine]:
        """Messages by their count, then patterns, the narrow ones first; none whose lines another one has."""
        yield from sorted((one for one in lines if not one.pattern), key=lambda one: (-one.count, one.text))
        taken: list[re.Pattern[str]] = []
        for one in sorted((one for one in lines if one.pattern), key=_breadth):
            own, sample = re.compile(one.pattern), self._clean(one.sample)
            covered = sample in exact or any(pattern.match(sample) for pattern in taken)
            if not covered and own.match(sample):
                taken.append(own)
                yield one

    def _side_of(self, service: str) -> str:
        if service in self._catalogue.sides:
            return ""
        name = service.lower()
        return next((side for side, words in _SIDE_WORDS if re.search(words, name)), _ELSE)


def _choose_frequent(lines: Iterable[ProposedLine]) -> list[ProposedLine]:
    return sorted(lines, key=lambda one: (-one.count, one.text, one.pattern))[:MOST_LINES]


def _breadth(line: ProposedLine) -> tuple[int, str]:
    """Patterns with more constant text come first."""
    return -len(re.sub(r"<[^>]*>", "", line.text)), line.pattern


def _is_broken(text: str) -> bool:
    """Half a surrogate pair can stand in no TOML file."""
    return any("\ud800" <= char <= "\udfff" for char in text)
