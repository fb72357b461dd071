"""Where diag says that an ID was lost: the one place that knows how it says so today."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.model.diagnosis import Diagnosis
from tests.accuracy.truth import GRPC, KAFKA_KEY, LISTENING_BODY, SESSION_INFO, WHIP_HEADER

_SLUGS = ("id-mismatch", "id-undefined")
_SAID = re.compile(r"\((?P<kind>[^()]+), at the (?P<hop>.+?)\)[.:](?:\s|$)")
_HOPS = (
    ("whip", WHIP_HEADER),
    ("listening body", LISTENING_BODY),
    ("/listening", LISTENING_BODY),
    ("websocket", SESSION_INFO),
    ("kafka", KAFKA_KEY),
    ("grpc", GRPC),
)


@dataclass(frozen=True, slots=True)
class NamedHop:
    """What diag says of a loss.

    Attributes:
        hop: as the truth names it, or diag's own words.
        kind: in diag's words.
        ids: the IDs that it says are one client's.
    """

    hop: str
    kind: str
    ids: tuple[str, ...]


def named_hop(diagnosis: Diagnosis) -> NamedHop | None:
    """The loss that diag names; None if it names none.

    The first finding of the mismatch rule counts, whatever its confidence, or else that of the lost ID.
    """
    found = sorted(
        (finding for finding in diagnosis.findings if finding.slug in _SLUGS),
        key=lambda finding: _SLUGS.index(finding.slug),
    )
    for finding in found:
        said = _SAID.search(finding.summary)
        if said is not None:
            words = said["hop"].lower()
            hop = next((hop for word, hop in _HOPS if word in words), words)
            return NamedHop(hop, said["kind"], finding.sessions)
    return None
