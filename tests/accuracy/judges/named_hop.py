"""Where diag says that an ID was lost: the one place that knows how it says so today."""

from __future__ import annotations

import re

from diag.model.diagnosis import Diagnosis
from tests.accuracy.truth import GRPC, KAFKA_KEY, LISTENING_BODY, SESSION_INFO, WHIP_HEADER

_SLUG = "id-mismatch"
_SAID = re.compile(r"\((?P<kind>[^()]+), at the (?P<hop>.+?)\)\.(?:\s|$)")
_HOPS = (
    ("whip", WHIP_HEADER),
    ("listening body", LISTENING_BODY),
    ("/listening", LISTENING_BODY),
    ("websocket", SESSION_INFO),
    ("kafka", KAFKA_KEY),
    ("grpc", GRPC),
)


def named_hop(diagnosis: Diagnosis) -> tuple[str, str] | None:
    """The hop, as the truth names it, and the kind in diag's words; None if diag names none.

    The first finding of the mismatch rule counts, whatever its confidence.
    """
    for finding in diagnosis.findings:
        said = _SAID.search(finding.summary) if finding.slug == _SLUG else None
        if said is not None:
            words = said["hop"].lower()
            return next((hop for word, hop in _HOPS if word in words), words), said["kind"]
    return None
