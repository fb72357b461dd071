"""``id-malformed`` on records; on lines: tests/checks/id-malformed."""

from __future__ import annotations

from dataclasses import replace

from diag.checks import CHECKS, CheckContext, run_checks
from diag.checks.base import LOGS, RECORDS
from diag.config import load_wanted_topics
from diag.model.coverage import Coverage
from diag.model.findings import Finding
from diag.model.flow import TopicFlow
from diag.model.records import KafkaRecord
from tests.cases import DEFAULTS, diagnose, read_case

S = DEFAULTS["S"]
CHECK = next(check for check in CHECKS if check.slug == "id-malformed")


def judge(*records: KafkaRecord, line: str = f"sessionID={S}") -> tuple[Finding, ...]:
    case = f"# asks: {S}\n00:00.001 media-server info Received remote track :: {line}"
    session = replace(diagnose(read_case(case)).session, flows=(TopicFlow("audio-in", records=records),))
    context = CheckContext(session, Coverage(), frozenset({LOGS, RECORDS}), wanted=load_wanted_topics())
    return run_checks([CHECK], context)[0]


def test_an_id_of_no_known_form_on_a_record_is_found() -> None:
    """In header or field, with the record as evidence and the topic's producer as the component."""
    (finding,) = judge(
        KafkaRecord("audio-in", 0, 7, 5, S, (("session-id", S.upper()),)),
        KafkaRecord("audio-in", 0, 8, 6, S, (), (("session_id", "caller-17"),)),
        KafkaRecord("audio-in", 0, 9, 7, S, (("session-id", S.upper()),)),
    )

    assert f"{S.upper()}: changed case, 2 records" in finding.summary
    assert "caller-17: no known prefix, 1 record" in finding.summary
    assert [one.ref for one in finding.evidence] == ["audio-in/0@7", "audio-in/0@8"]
    assert finding.component == "media-server"
    (foreign,) = judge(KafkaRecord("of-nobody", 0, 7, 5, S, (("session-id", "caller-17"),)))
    assert foreign.component == "unknown"


def test_lines_and_records_of_one_id_are_counted_apart() -> None:
    """The line is the evidence where there is one."""
    (finding,) = judge(
        KafkaRecord("audio-in", 0, 7, 5, S, (("session-id", "caller-17"),)),
        line=f"sessionID={S} mediaSessionID=caller-17",
    )

    assert "caller-17: no known prefix, 1 line, 1 record" in finding.summary
    assert finding.evidence[0].source == "files"


def test_known_forms_and_lost_ids_on_records_are_quiet() -> None:
    """What was lost is for id-undefined."""
    assert judge(KafkaRecord("audio-in", 0, 7, 5, S, (("session-id", "undefined"),))) == ()
