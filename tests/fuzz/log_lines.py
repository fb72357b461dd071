"""Lines of every form that users have, each around a mark of its own, and how they are spoiled."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

STAMP = "2025-07-27T11:26:41.372Z"

Form = Callable[[str], str]


def to_log_entry(mark: str) -> dict[str, Any]:
    """As Cloud Logging has it, in an export and in a sink's file."""
    return {
        "insertId": mark[4:],
        "jsonPayload": {"level": "info", "message": mark, "sessionID": "s"},
        "logName": "projects/p/logs/stdout",
        "resource": {
            "type": "k8s_container",
            "labels": {"pod_name": "media-server-1", "container_name": "media-server"},
        },
        "severity": "INFO",
        "timestamp": STAMP,
        "receiveTimestamp": STAMP,
    }


def to_kibana_hit(mark: str) -> dict[str, Any]:
    """One of an answer of Elasticsearch."""
    return {"_index": "logs", "_source": {"@timestamp": STAMP, "message": mark}}


FORMS: tuple[Form, ...] = (
    lambda mark: json.dumps(to_log_entry(mark)),
    lambda mark: json.dumps({"level": "info", "msg": mark, "time": STAMP}),
    lambda mark: json.dumps({"log": mark + "\n", "stream": "stderr", "time": STAMP}),
    lambda mark: json.dumps({"message": mark, "kubernetes": {"pod_name": "p", "container_name": "c"}}),
    lambda mark: f"{STAMP} stdout F {mark}",
    lambda mark: f"{STAMP} stdout P {mark}",
    lambda mark: f'{STAMP} stderr F {{"msg": "{mark}"}}',
    lambda mark: f"[pod/media-server-1/media-server] {STAMP} {mark}",
    lambda mark: f"E0727 11:26:41.372000       1 server.go:42] {mark}",
    lambda mark: f'time="{STAMP}" level=error msg="{mark}" sessionID=s',
    lambda mark: f"2025-07-27 11:26:41,372 - app - ERROR - {mark}",
    lambda mark: f"<34>Jul 27 11:26:41 host app[1]: {mark}",
    lambda mark: f"    at handle (/app/{mark}.ts:1:2)",
    lambda mark: f"plain {mark}",
    lambda mark: f"{mark}: {{not json",
)
_NOISE = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m", b"\r", b"\t", b'"', b"\\", b"{", b"}", b"[", b"]", b",",
    b"\xe2\x80\xa8", b"null", b"NaN", b"1e999", b"\\u0000", b"\\ud800", b"<34>", b"F ", b"P ", b"%00",
)  # fmt: skip


def spoil(line: bytes, random: Random) -> bytes:
    """Noise in it, or in the place of some of it; six of ten stay as they are."""
    if random.random() < 0.6:
        return line
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(line))
        to = min(len(line), at + random.choice((0, 0, 0, 1, 5)))
        line = line[:at] + random.choice(_NOISE) + line[to:]
    return line
