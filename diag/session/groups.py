"""Which IDs of a whole window may belong together: coarse groups, each of which holds whole sessions.

Every line that names two IDs ties them here, however weak the tie: what a group holds in truth is
`links`' matter. A group is only what must be looked at together, so that many can be looked at apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from diag.model.identifiers import classify
from diag.session.census import Census, IdUse
from diag.session.identity.kinship import Kinship


@dataclass(frozen=True, slots=True)
class Group:
    """IDs that lines tie together.

    Attributes:
        sessions: those of `ids` that name sessions, sorted.
        lines: at most so many mention any of them.
    """

    ids: frozenset[str]
    sessions: tuple[str, ...]
    lines: int
    first_ns: int
    last_ns: int


def group_ids(census: Census, crowded: Collection[str]) -> tuple[Group, ...]:
    """The groups that name a session, in order of their first time; `crowded` IDs are in none."""
    uses, forest = census.uses, _Forest()
    for tie in census.ties:
        forest.join([text for text in tie if text not in crowded])
    named = [text for text in uses if classify(text).names_session and text not in crowded]
    for text, other, _ in Kinship(named).of(named):
        forest.join([text, other])
    members: defaultdict[str, list[str]] = defaultdict(list)
    for text in uses:
        if text not in crowded:
            members[forest.root(text)].append(text)
    groups = [_to_group(ids, uses) for ids in members.values()]
    naming = [group for group in groups if group.sessions]
    return tuple(sorted(naming, key=lambda group: (group.first_ns, group.sessions)))


def _to_group(ids: Sequence[str], uses: Mapping[str, IdUse]) -> Group:
    own = [uses[text] for text in ids]
    return Group(
        ids=frozenset(ids),
        sessions=tuple(sorted(text for text in ids if uses[text].names_session)),
        lines=sum(use.lines for use in own),
        first_ns=min((use.first_ns for use in own if use.first_ns is not None), default=0),
        last_ns=max((use.last_ns for use in own if use.last_ns is not None), default=0),
    )


class _Forest:
    """Disjoint sets of texts (union by first come, paths halved)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, text: str) -> str:
        parent = self._parent
        while (above := parent.get(text, text)) != text:
            parent[text] = parent.get(above, above)
            text = above
        return text

    def join(self, texts: Sequence[str]) -> None:
        for text in texts[1:]:
            one, other = self.root(texts[0]), self.root(text)
            if one != other:
                self._parent[other] = one
