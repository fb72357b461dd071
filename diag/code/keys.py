"""A text in a list of messages is called by its name: ``name = "reply-sent"``, ``text = "Reply sent"``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from diag.code.literals import Hit, find_literals
from diag.code.places import MOST_PLACES, Ranked, Ranking
from diag.model.code import LogText, WrittenText

_AROUND = 6
_MOST_LISTS = 12
_WORD = r"[A-Za-z][\w.-]{5,79}"
_NAMED = re.compile(
    rf"^[\s{{,-]*[\"']?(?:name|id|key|slug|code|message_id|event_id)[\"']?\s*[:=]\s*[\"']?({_WORD})[\"']?\s*,?\s*$",
    re.MULTILINE,
)
_OWN = re.compile(rf"[\s{{,-]*[\"']?({_WORD})[\"']?\s*[:=]\s*[\"']?$")
_GENERIC = frozenset(
    {"message", "template", "format", "default", "description", "summary", "pattern", "content"}
)
_GAP = re.compile(r"\n\s*\n|^\s*\[[^\n]*\]\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Call:
    """A name by which code may call a text, and where the list has it."""

    key: str
    path: str
    line: int


def follow_keys(
    texts: Iterable[WrittenText],
    hits: Mapping[LogText, list[Hit]],
    files: Mapping[str, bytes],
    ranking: Ranking,
) -> Iterator[WrittenText]:
    """The texts, those that only stand in a list with the places where code calls them by name."""
    texts = tuple(texts)
    calls = {
        text.log: list(_find_calls(text.log, hits[text.log], ranking)) for text in texts if not text.places
    }
    sought = {log: [replace(log, pieces=(call.key,)) for call in made] for log, made in calls.items()}
    found: defaultdict[LogText, list[Hit]] = defaultdict(list)
    for hit in find_literals(files, (one for some in sought.values() for one in some)):
        if hit.whole:
            found[hit.log].append(hit)
    for text in texts:
        pairs = zip(calls.get(text.log, ()), sought.get(text.log, ()), strict=True)
        yield _choose(text, [(call, ranking.sort(found[one])) for call, one in pairs], ranking)


def _choose(text: WrittenText, calls: list[tuple[_Call, list[Ranked]]], ranking: Ranking) -> WrittenText:
    """The name whose use in code ranks best; without one the text stays as it is."""
    able = [(ranked[0][0], call, ranked) for call, ranked in calls if ranked and ranking.writes(ranked[0][0])]
    if not able:
        return text
    rank, call, ranked = min(able, key=lambda one: one[0])
    best = [one for one in ranked if one[0] == rank]
    return replace(
        text,
        places=tuple(ranking.place(path, line) for _, path, line in best[:MOST_PLACES]),
        others=text.others - 1,
        listed=ranking.place(call.path, call.line),
        key=call.key,
    )


def _find_calls(log: LogText, hits: Iterable[Hit], ranking: Ranking) -> Iterator[_Call]:
    lists = [one for one in ranking.sort(hits) if ranking.lists(one[0])]
    for _, path, line in lists[:_MOST_LISTS]:
        around = ranking.text_around(path, line, _AROUND)
        for key in find_keys(around, log.longest):
            yield _Call(key, path, line)


def find_keys(around: str, text: str) -> Iterator[str]:
    """The names that stand before a text, or beside it in the same paragraph of a list."""
    place = around.find(text)
    if place < 0:
        return
    own = _OWN.fullmatch(around[around.rfind("\n", 0, place) + 1 : place])
    if own is not None and own[1].lower() not in _GENERIC:
        yield own[1]
    before = [gap.end() for gap in _GAP.finditer(around, 0, place)]
    after = [gap.start() for gap in _GAP.finditer(around, place)]
    paragraph = around[before[-1] if before else 0 : after[0] if after else len(around)]
    for match in _NAMED.finditer(paragraph):
        yield match[1]
