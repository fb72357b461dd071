"""Many messages -> few templates, by a miner that does not mind the order of lines.

Messages are masked one by one and counted by what is left (``mask``). Then texts that differ in one
word become one where that word takes `LEAST_WORDS` values, and texts that differ behind a colon become
one where `LEAST_TAILS` do. Fewer may as well be different messages: they stay apart, as exact texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce

from diag.catalogue.bounded import Lowest, Weights
from diag.catalogue.mask import Masked, Part, Parts, Slot

MOST_FORMS = 4_000
"""Different masked texts that are kept; which, is decided by their weights and hashes, not by their order."""

LEAST_WORDS = 5
LEAST_TAILS = 3
_ROUNDS = 3

Key = tuple[str, Parts]


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """What is remembered of one slot's values: the bounds tell whether it ever varied."""

    low: str
    high: str
    digits: bool

    def joined(self, other: SlotFacts) -> SlotFacts:
        """The facts of both together."""
        return SlotFacts(min(self.low, other.low), max(self.high, other.high), self.digits and other.digits)


@dataclass(frozen=True, slots=True)
class Template:
    """Messages of one service with the same constant parts; `slots` has the facts of each slot in order."""

    service: str
    parts: Parts
    count: int
    slots: tuple[SlotFacts, ...]


class TemplateMiner:
    """Takes masked messages, gives templates; memory is bounded by `most`.

    Beyond the bound it keeps the texts that `weights`, those of a first pass, say are frequent.
    """

    def __init__(self, most: int = MOST_FORMS, weights: Weights | None = None) -> None:
        self._forms: Lowest[Template] = Lowest(most, weights)
        self._added = 0
        self.weights = Weights()

    def add(self, service: str, masked: Masked) -> None:
        """One more message."""
        self._added += 1
        own = Template(service, masked.parts, 1, tuple(map(_to_facts, masked.values)))
        key = f"{service}\n{show_parts(masked.parts)}"
        self.weights.add(key)
        self._forms.put(key, own, _join)

    def mine(self, is_id: Callable[[str], bool] = lambda _: False) -> tuple[Template, ...]:
        """The templates, sorted by service and text; `is_id`: a word that is the ID of one session."""
        forms = _join_same(_mask_ids(template, is_id) for _, template in self._forms.items())
        found = _merge(_by_colon, LEAST_TAILS, forms)
        for _ in range(_ROUNDS):
            merged = _merge(_by_word, LEAST_WORDS, found)
            if len(merged) == len(found):
                break
            found = merged
        return tuple(found)

    @property
    def added(self) -> int:
        """Messages that were taken, those beyond the bound among them."""
        return self._added


def show_parts(parts: Parts) -> str:
    """The parts as a text to sort by and to tell apart: slots show as no message can."""
    return "".join(part if isinstance(part, str) else f"\ud800{part.name}\ud800" for part in parts)


Widen = Callable[[Template], Iterator[Template]]


def _to_facts(value: str) -> SlotFacts:
    return SlotFacts(value, value, value.isascii() and value.isdigit())


def _join(one: Template, other: Template) -> Template:
    """One template for both, which have the same parts."""
    slots = tuple(a.joined(b) for a, b in zip(one.slots, other.slots, strict=True))
    return replace(one, count=one.count + other.count, slots=slots)


def _mask_ids(template: Template, is_id: Callable[[str], bool]) -> Template:
    """The template with a slot for each of its words that is an ID, though it looked like a word."""
    if not any(isinstance(part, str) and is_id(part) for part in template.parts):
        return template
    left, parts, slots = iter(template.slots), list[Part](), list[SlotFacts]()
    for part in template.parts:
        masked = isinstance(part, str) and is_id(part)
        parts.append(Slot.WORD if masked else part)
        if isinstance(part, Slot):
            slots.append(next(left))
        elif masked:
            slots.append(_to_facts(part))
    return replace(template, parts=tuple(parts), slots=tuple(slots))


def _join_same(templates: Iterable[Template]) -> list[Template]:
    joined: dict[Key, Template] = {}
    for one in templates:
        known = joined.get((one.service, one.parts))
        joined[one.service, one.parts] = one if known is None else _join(known, one)
    return list(joined.values())


def _merge(propose: Widen, least: int, templates: Iterable[Template]) -> list[Template]:
    """Join the templates for which `propose` gives the same wider one, the widest groups first."""
    alone = {(one.service, one.parts): one for one in templates}
    groups: defaultdict[Key, dict[Key, Template]] = defaultdict(dict)
    for key, one in alone.items():
        for wider in propose(one):
            groups[one.service, wider.parts][key] = wider
    for group in sorted(groups, key=lambda key: (-len(groups[key]), _order(key))):
        members = [key for key in sorted(groups[group], key=_order) if key in alone]
        if len(members) < least:
            continue
        joined = [groups[group][key] for key in members]
        for key in members:
            del alone[key]
        # a text that was masked to the same parts by itself belongs to it, too
        same = [alone.pop(group)] if group in alone else []
        alone[group] = reduce(_join, [*joined, *same])
    return [alone[key] for key in sorted(alone, key=_order)]


def _order(key: Key) -> tuple[str, str]:
    return key[0], show_parts(key[1])


def _by_colon(template: Template) -> Iterator[Template]:
    """The template cut behind its first ``": "``, with a tail."""
    parts = template.parts
    for place in range(1, len(parts) - 2):
        if parts[place] == ":" and parts[place + 1] == " ":
            head = parts[: place + 2]
            slots = template.slots[: sum(isinstance(part, Slot) for part in head)]
            tail = SlotFacts("", "", digits=False)
            yield replace(template, parts=(*head, Slot.TAIL), slots=(*slots, tail))
            return


def _by_word(template: Template) -> Iterator[Template]:
    """The template with one of its words as a slot, for each word."""
    words = [place for place, part in enumerate(template.parts) if _is_word(part)]
    if len(words) < LEAST_WORDS - 2:  # two words must stay, or nothing would hold the texts together
        return
    for place in words:
        before = sum(isinstance(part, Slot) for part in template.parts[:place])
        facts = _to_facts(str(template.parts[place]))
        yield replace(
            template,
            parts=(*template.parts[:place], Slot.WORD, *template.parts[place + 1 :]),
            slots=(*template.slots[:before], facts, *template.slots[before:]),
        )


def _is_word(part: Part) -> bool:
    return isinstance(part, str) and part.replace("-", "").replace("_", "").isalnum()
