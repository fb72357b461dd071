"""Every check, in the order in which they run and are listed. A rule that is not here does not exist."""

from __future__ import annotations

from diag.checks.ai.pipeline_false_success import CHECK as PIPELINE_FALSE_SUCCESS
from diag.checks.ai.turn_no_reply import CHECK as TURN_NO_REPLY
from diag.checks.ai.turn_repeat import CHECK as TURN_REPEAT
from diag.checks.base import Check
from diag.checks.coverage.source_not_covered import CHECK as SOURCE_NOT_COVERED
from diag.checks.identity.id_malformed import CHECK as ID_MALFORMED
from diag.checks.identity.id_mismatch import CHECK as ID_MISMATCH
from diag.checks.identity.id_undefined import CHECK as ID_UNDEFINED
from diag.checks.kafka.publish_unconfirmed import CHECK as PUBLISH_UNCONFIRMED
from diag.checks.kafka.session_consumer_died import CHECK as SESSION_CONSUMER_DIED
from diag.checks.kafka.stale_replay import CHECK as STALE_REPLAY
from diag.checks.kafka.topic_missing import CHECK as TOPIC_MISSING
from diag.checks.mapping.session_one_sided import CHECK as SESSION_ONE_SIDED
from diag.checks.mapping.turn_stale_replay import CHECK as TURN_STALE_REPLAY

CHECKS: tuple[Check, ...] = (
    ID_UNDEFINED,
    ID_MALFORMED,
    ID_MISMATCH,
    SESSION_ONE_SIDED,
    TOPIC_MISSING,
    SESSION_CONSUMER_DIED,
    PUBLISH_UNCONFIRMED,
    STALE_REPLAY,
    TURN_NO_REPLY,
    TURN_STALE_REPLAY,
    TURN_REPEAT,
    # it rests on those above
    PIPELINE_FALSE_SUCCESS,
    # last: it names the checks that were skipped for want of a source
    SOURCE_NOT_COVERED,
)
