"""``id-undefined`` on records; on lines: tests/checks/id-undefined."""

from __future__ import annotations

from dataclasses import replace

from diag.checks import CHECKS, CheckContext, run_checks
from diag.checks.base import LOGS, RECORDS
from diag.model.coverage import Coverage
from diag.model.findings import Confidence, Finding
from diag.model.flow import TopicFlow
from diag.model.records import KafkaRecord
from tests.cases import DEFAULTS, START_NS, diagnose, read_case

S = DEFAULTS["S"]
CHECK = next(check for check in CHECKS if check.slug == "id-undefined")
CASE = f"""# asks: {S}
00:00.001 media-server info WHIP connection established with ICE candidates :: sessionID={S}
00:09.001 media-server info Audio published to Kafka successfully :: sessionID={S}"""


def judge(own: tuple[KafkaRecord, ...] = (), lost: tuple[KafkaRecord, ...] = ()) -> tuple[Finding, ...]:
    flow = TopicFlow("audio-in", stored=len(own), records=own)
    session = replace(diagnose(read_case(CASE)).session, flows=(flow,), lost_records=(*own, *lost))
    return run_checks([CHECK], CheckContext(session, Coverage(), frozenset({LOGS, RECORDS})))[0]


def record(key: str | None, header: str | None) -> KafkaRecord:
    headers = () if header is None else (("session-id", header),)
    return KafkaRecord("audio-in", 0, 7, START_NS + 10**9, key, headers, size=9)


def test_a_lost_header_under_the_sessions_own_key_is_confirmed() -> None:
    """The key ties it to the session, the header is where the ID was lost."""
    (finding,) = judge(own=(record(S, "undefined"),))

    assert finding.confidence is Confidence.CONFIRMED
    assert 'at the Kafka key): "undefined" (1)' in finding.summary
    assert finding.evidence[0].text == 'record of 9 bytes: header session-id "undefined"'


def test_a_keyless_record_with_a_lost_header_is_suspected() -> None:
    """Only the time ties it; a key that is not there is not named as lost."""
    (finding,) = judge(lost=(record(None, "null"),))

    assert finding.confidence is Confidence.SUSPECTED
    assert '"null" (1)' in finding.summary


def test_records_that_name_the_session_are_quiet() -> None:
    """With a key, a header or both."""
    assert judge(own=(record(S, None), record(None, S))) == ()
