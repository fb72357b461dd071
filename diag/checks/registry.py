"""Every check, in the order in which they run and are listed. A rule that is not here does not exist."""

from __future__ import annotations

from diag.checks.ai import turn_no_reply
from diag.checks.base import Check
from diag.checks.coverage import source_not_covered
from diag.checks.identity import id_malformed, id_mismatch, id_undefined
from diag.checks.kafka import session_consumer_died, topic_missing
from diag.checks.mapping import session_one_sided

CHECKS: tuple[Check, ...] = (
    id_undefined.CHECK,
    id_malformed.CHECK,
    id_mismatch.CHECK,
    session_one_sided.CHECK,
    topic_missing.CHECK,
    session_consumer_died.CHECK,
    turn_no_reply.CHECK,
    # last: it names the checks that were skipped for want of a source
    source_not_covered.CHECK,
)
