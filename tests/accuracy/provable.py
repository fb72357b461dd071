"""What the surviving lines and records prove, by one simple rule.

Two IDs are proved to be one session's where a surviving line or a record names both as its own (a line
that names a record's offset speaks of that record), or where each is proved to be a third one's. An ID
that several sessions share proves nothing, and neither does a guess, a stranger's ID in a debug line, or
nearness in time.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.accuracy.truth import LOST_TEXTS, REMINTED, Loss, Record, Session


class Proof:
    """Which IDs of one session the log ties together.

    Attributes:
        named: the IDs that something surviving names.
    """

    def __init__(self, session: Session, shared: frozenset[str]) -> None:
        self._root: dict[str, str] = {}
        self.named: set[str] = set()
        for names in _statements(session):
            own = [text for text in names if text not in shared]
            self.named.update(own)
            for other in own[1:]:
                self._root[self._find(own[0])] = self._find(other)

    def _find(self, text: str) -> str:
        while (up := self._root.get(text, text)) != text:
            text = up
        return text

    def ties(self, first: str, second: str) -> bool:
        """Whether both are named and proved to be one session's."""
        return {first, second} <= self.named and self._find(first) == self._find(second)

    def components(self) -> list[tuple[str, ...]]:
        """The IDs in groups that are tied together, sorted."""
        groups: dict[str, list[str]] = {}
        for text in sorted(self.named):
            groups.setdefault(self._find(text), []).append(text)
        return sorted(map(tuple, groups.values()))


def _statements(session: Session) -> Iterator[tuple[str, ...]]:
    """Each surviving line's and record's IDs that belong together."""
    for line in session.lines:
        if line.survived and line.links:
            record = () if line.record is None else names_of(line.record)
            yield (*line.links, *record)
    for record in session.records:
        yield names_of(record)


def names_of(record: Record) -> tuple[str, ...]:
    """The IDs in a record's key, header and JSON."""
    named = [record.key or "", *(value for name, value in record.headers if name == "session-id")]
    named += (value for _, value in record.id_fields)
    return tuple(dict.fromkeys(text for text in named if text and text not in LOST_TEXTS))


def shows_loss(loss: Loss, proof: Proof) -> bool:
    """Whether the log shows that this client's ID was lost at this hop, and not merely somewhere."""
    if loss.sent not in proof.named:
        return False
    halves_are_equal = loss.kind == REMINTED and loss.hop not in _ONE_SIDED
    if halves_are_equal and not any(line.survived for line in loss.anchors):
        return False
    if loss.seen and loss.seen not in LOST_TEXTS:
        return proof.ties(loss.sent, loss.seen)
    spoken = [line.links for line in loss.witnesses if line.survived]
    spoken += [names_of(record) for record in loss.records]
    return any(proof.ties(loss.sent, text) for names in spoken for text in names)


_ONE_SIDED = ("gRPC", "Kafka key", "/listening body")
"""Hops at which a re-minted ID shows by itself: every other hop has the client's."""
