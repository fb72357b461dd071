"""Chooses the reply to a sentence. Pure: the same sentence has the same reply, on any day.

Sentences come from speech recognition, so a keyword also counts when it is nearly hit: by a similar
word, or by one of the words that recognition is known to put in its place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import resources

_WORD = re.compile(r"[a-z][a-z'-]*")
_MOST_WORDS = 200
_SIMILAR_CHARS = 5
_SIMILARITY = 0.8


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that the desk can talk about."""

    name: str
    keywords: tuple[str, ...]
    heard_as: frozenset[str]
    reply: str


@dataclass(frozen=True, slots=True)
class Desk:
    """All topics, and what to say where none fits."""

    topics: tuple[Topic, ...]
    fallback: str

    def choose_reply(self, sentence: str) -> str:
        """The reply to `sentence`."""
        words = tuple(dict.fromkeys(_WORD.findall(sentence.lower())))[:_MOST_WORDS]
        best = max(self.topics, key=lambda topic: _score(topic, words))  # the first of equals
        return best.reply if _score(best, words) else self.fallback


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply with its size in tokens; a token here is a word."""

    text: str
    prompt_tokens: int

    @property
    def pieces(self) -> tuple[str, ...]:
        """The reply in the pieces in which it is streamed."""
        return tuple(re.findall(r"\S+\s*", self.text))

    @property
    def tokens(self) -> int:
        """Its length."""
        return len(self.pieces)


@cache
def load_desk() -> Desk:
    """The desk of ``topics.toml``."""
    table = tomllib.loads(resources.files("pipeline.llm").joinpath("topics.toml").read_text("utf-8"))
    topics = tuple(
        Topic(row["name"], tuple(row["keywords"]), frozenset(row["heard_as"]), row["reply"])
        for row in table["topic"]
    )
    return Desk(topics, table["fallback"])


def complete(desk: Desk, prompts: Sequence[str]) -> Completion:
    """The desk's reply to the last of `prompts`; the earlier ones only count as tokens."""
    return Completion(desk.choose_reply(prompts[-1]), sum(len(prompt.split()) for prompt in prompts))


def _score(topic: Topic, words: Sequence[str]) -> int:
    """How much of `words` belongs to `topic`: a keyword counts twice, what may stand for one once."""
    return sum(2 if _is_keyword(topic, word) else word in topic.heard_as for word in words)


def _is_keyword(topic: Topic, word: str) -> bool:
    return any(keyword == word or _are_similar(keyword, word) for keyword in topic.keywords)


def _are_similar(keyword: str, word: str) -> bool:
    if min(len(keyword), len(word)) < _SIMILAR_CHARS:
        return False
    return SequenceMatcher(None, keyword, word).ratio() >= _SIMILARITY
