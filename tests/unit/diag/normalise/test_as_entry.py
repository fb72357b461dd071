"""Lines that are no log entries meet a filter by their parts, as the entries that GKE would have made of them."""

from __future__ import annotations

import pytest

from diag.lql import compile_filter, parse
from diag.model.records import LogRecord
from diag.normalise import to_entry

JSON = '{"level":"error","time":"2025-07-27T11:26:42Z","msg":"no consumer","sessionID":"s-1"}'
TEXT = "2025-07-27T11:26:43Z INFO Audio consumer stopped session_id=s-1"
CRI = f"2025-07-27T11:26:42.5Z stderr F {JSON}"
ENTRY = {
    "insertId": "a",
    "timestamp": "2025-07-27T11:26:42Z",
    "textPayload": "x",
    "httpRequest": {"status": 500},
}


@pytest.mark.parametrize(
    ("data", "where", "expected"),
    [
        (JSON, "severity>=ERROR", True),
        (TEXT, "severity>=ERROR", False),
        (TEXT, "severity=INFO", True),
        (JSON, 'jsonPayload.sessionID="s-1"', True),
        (JSON, 'jsonPayload.message:"consumer"', True),
        (JSON, 'jsonPayload.msg:"consumer"', True),
        (CRI, 'jsonPayload.msg="no consumer"', True),
        ('{"level":"info","msg":"m"}', 'jsonPayload.msg="m" jsonPayload.level="info"', True),
        ({"level": "info", "msg": "m"}, "textPayload:*", False),
        (JSON, "textPayload:*", False),
        (TEXT, 'textPayload:"session_id=s-1"', True),
        (TEXT, "jsonPayload:*", False),
        (JSON, 'timestamp<"2025-07-27T11:26:43Z"', True),
        (TEXT, 'timestamp<"2025-07-27T11:26:43Z"', False),
        (CRI, 'jsonPayload.sessionID="s-1" severity=ERROR', True),
        ({"msg": "m", "sessionID": "s-1"}, 'jsonPayload.sessionID="s-1"', True),
        (ENTRY, "httpRequest.status>=500", True),
        ("", 'NOT textPayload:"x"', True),
        ("\x00{", 'NOT textPayload:"x"', True),
    ],
)
def test_a_filter_finds_it(data: str | dict, where: str, expected: bool) -> None:
    """Severity, text, fields and time; a log entry keeps what diag itself does not read."""
    assert compile_filter(parse(where))(to_entry(LogRecord(data, "a.log:1"))) is expected
