"""Every payload shape that users have becomes the same kind of row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.instants import parse_instant
from diag.model.records import Entry, LogRecord
from diag.normalise import join_frames, to_frame
from tests.cases import to_entry

AT = parse_instant("2025-07-27T11:26:41.372Z")
BIND = '{"level":"info","msg":"Received session info from frontend","connID":"ws_1753615602114220410","sessionID":"session_1753615601372_cz4gw0fl5","time":"2025-07-27T11:26:41.372Z"}'


def read(data: Any, origin: str = "app.log:1") -> Entry:
    return to_entries(to_frame([LogRecord(data, origin)], load_catalogue()))[0]


@pytest.mark.parametrize(
    "line",
    [
        BIND,
        f"2025-07-27T11:26:41.372000000Z stderr F {BIND}",
        f"[pod/orchestrator-5c9b7f6d84-q8wzn/orchestrator] 2025-07-27T11:26:41.372Z {BIND}",
        f"✅ {BIND}",
        f"- {BIND}",
    ],
    ids=[
        "logrus",
        "container runtime",
        "kubectl --prefix --timestamps",
        "pasted with an emoji",
        "pasted as a list",
    ],
)
def test_a_json_line_is_read_whatever_stands_before_it(line: str) -> None:
    """Message, time, level, service and IDs are the same in every wrapping."""
    entry = read(line)

    assert (entry.message, entry.time_ns, entry.level) == ("Received session info from frontend", AT, "info")
    assert entry.service == "orchestrator"
    assert entry.ids_in("session") == ("session_1753615601372_cz4gw0fl5",)
    assert entry.ids_in("connection") == ("ws_1753615602114220410",)


def test_the_level_is_what_the_program_said_not_what_its_stream_became() -> None:
    """GKE makes every line of stderr an ERROR."""
    entry = read(
        to_entry("00:00.000 orchestrator info WebSocket client connected :: connID=ws_1753615602114220410", 1)
    )

    assert entry.level == "info"


def test_a_value_called_timestamp_is_not_the_time_of_the_line() -> None:
    """Some lines carry HH:MM:SS, or another moment, under that key."""
    line = {"time": "2025-07-27T11:26:41.372Z", "msg": "Connection state changed", "timestamp": "11:26:39"}
    other = {**line, "timestamp": "2025-07-27T10:00:00Z"}

    assert read(line).time_ns == AT
    assert read(line).field("timestamp") == "11:26:39"
    assert read(other).time_ns == AT


@pytest.mark.parametrize("seconds", [1753615601.372, 1753615601372, 1753615601372000, 1753615601372000000])
def test_epoch_times_are_read_in_their_unit(seconds: float) -> None:
    """Seconds, milli-, micro- and nanoseconds are told apart by their size."""
    assert abs((read({"ts": seconds, "msg": "x"}).time_ns or 0) - (AT or 0)) < 1_000


def test_structlog_has_its_message_under_event() -> None:
    """And its time under timestamp."""
    entry = read(
        {"event": "Transcription failed", "level": "error", "timestamp": "2025-07-27T11:26:41.372000Z"}
    )

    assert (entry.message, entry.level, entry.time_ns) == ("Transcription failed", "error", AT)


@pytest.mark.parametrize(
    "line",
    [
        {"timestamp": "2025-07-27T11:26:41.372Z", "level": "ERROR", "fields": {"message": "call failed", "n": 1},
         "target": "bot::ws", "span": {"name": "call", "session_id": "abc"}},
        {"@t": "2025-07-27T11:26:41.372Z", "@l": "Error", "@mt": "call failed", "SessionId": "abc", "n": 1},
        {"Timestamp": "2025-07-27T11:26:41.372Z", "Level": "Error", "MessageTemplate": "call failed",
         "Properties": {"SessionId": "abc", "n": 1}},
    ],
    ids=["tracing", "Serilog, compact", "Serilog"],
)  # fmt: skip
def test_loggers_of_rust_and_net_are_read(line: dict[str, object]) -> None:
    """Time, level and words have other names there, and IDs stand deeper."""
    (entry,) = to_entries(to_frame([LogRecord(line, "a.log:1")], load_catalogue()))

    assert (entry.message, entry.level) == ("call failed", "error")
    assert entry.time_ns == parse_instant("2025-07-27T11:26:41.372Z")
    assert entry.ids_in("session") == ("abc",)


def test_event_is_a_field_where_the_message_has_its_own_key() -> None:
    """``Parsed WebSocket message`` says which event it was."""
    entry = read({"msg": "Parsed WebSocket message", "event": "ping", "sessionID": ""})

    assert entry.message == "Parsed WebSocket message"
    assert entry.field("event") == "ping"


def test_a_text_payload_that_is_json_is_read_as_json() -> None:
    """A collector that did not parse the line left it as text."""
    entry = read(
        {
            "logName": "projects/p/logs/stderr",
            "insertId": "a",
            "textPayload": BIND,
            "timestamp": "2025-07-27T11:26:42Z",
        }
    )

    assert entry.message == "Received session info from frontend"
    assert entry.time_ns == parse_instant("2025-07-27T11:26:42Z")


def test_half_a_json_line_is_kept_and_marked() -> None:
    """Nothing is lost; coverage counts it."""
    frame = to_frame([LogRecord(BIND[:60], "app.log:7")], load_catalogue())

    assert frame["unparsed"].to_list() == [True]
    assert to_entries(frame)[0].message.startswith('{"level":"info"')


def test_a_panic_trace_has_the_time_of_the_line_before_it() -> None:
    """Text without a time keeps its place in its file."""
    records = [LogRecord(BIND, "orchestrator.log:1"), LogRecord("panic: runtime error", "orchestrator.log:2")]
    entries = to_entries(join_frames([to_frame(records, load_catalogue())]))

    assert [entry.time_ns for entry in entries] == [AT, AT]
    assert [entry.time_known for entry in entries] == [True, False]
    assert entries[1].service == "orchestrator"


def test_references_name_the_entry_or_the_line() -> None:
    """``pod@time#insertId`` where there is an insert ID, else ``file:line``."""
    entry = to_entry("00:00.000 media-server info Received WHIP request", 3)

    assert read(entry).ref == "media-server-6f46659ddf-n25zw@2025-07-27T11:26:41.372000000Z#i00003"
    assert read(BIND, "logs/a.log:12").ref == "logs/a.log:12"


def test_the_same_entry_read_twice_is_one() -> None:
    """Two queries overlap, and a sink delivers again."""
    catalogue = load_catalogue()
    entry = to_entry("00:00.000 media-server info Received WHIP request", 3)
    parts = [
        to_frame([LogRecord(entry)], catalogue),
        to_frame([LogRecord(entry), LogRecord(BIND, "a.log:1")], catalogue, 1),
    ]

    assert join_frames(parts).height == 2


def test_snake_case_entries_are_entries_too() -> None:
    """As BigQuery exports them."""
    entry = read(
        {"log_name": "projects/p/logs/stdout", "insert_id": "x", "timestamp": "2025-07-27T11:26:41.372Z",
         "resource": {"labels": {"container_name": "media-server"}}, "json_payload": {"msg": "Connection cleaned up"}}
    )  # fmt: skip

    assert (entry.service, entry.message, entry.time_ns) == ("media-server", "Connection cleaned up", AT)


def test_times_beyond_any_clock_harm_nothing() -> None:
    """The year 9999 does not fit into nanoseconds, and is then no time."""
    assert read({"msg": "x", "time": "9999-12-31T23:59:59Z"}).time_ns is None
    assert read({"msg": "x", "ts": 1e300}).time_ns is None
    assert read({"msg": "x", "ts": float("nan")}).time_ns is None


@pytest.mark.parametrize(
    ("number", "level"),
    [(10, "debug"), (30, "info"), (40, "warning"), (50, "error"), (60, "fatal"), (35, "")],
)
def test_pino_writes_levels_as_numbers(number: int, level: str) -> None:
    """And the logger's name under ``name``."""
    entry = read({"level": number, "time": 1753615601372, "name": "orchestrator", "msg": "hello"})

    assert (entry.level, entry.service, entry.message) == (level, "orchestrator", "hello")


def test_ids_are_found_under_nested_keys_and_inside_messages_of_a_users_catalogue(workdir: Path) -> None:
    """A key with dots, and a pattern's group that is called like a key."""
    Path("my.toml").write_text(
        "[ids]\nsession = ['call.sid', 'callSid']\n[[patterns]]\nshown = 'x'\nsamples = ['leg of A1 up']\n"
        "pattern = '^leg of (?P<callSid>\\S+) up$'\nevent = 'log'\n"
    )
    line = {"msg": "leg of A1 up", "call": {"sid": "B2"}, "sid": "C3"}
    (entry,) = to_entries(to_frame([LogRecord(line, "a.log:1")], load_catalogue(["my.toml"])))

    assert [(one.role, one.key, one.text) for one in entry.ids] == [
        ("session", "call.sid", "B2"), ("session", "callSid", "A1"),
    ]  # fmt: skip


def test_a_number_that_is_none_beside_one_of_more_than_64_bits() -> None:
    """JSON has no infinity; what was written with one is read all the same."""
    entry = read({"msg": "m", "sum": 10**30, "ratio": float("inf")})

    assert entry.fields == {"sum": 1e30, "ratio": None}


@pytest.mark.parametrize(
    ("payload", "time"),
    [
        ({"msg": "x", "time": "2025-07-27T11:26:41.372Z"}, "2025-07-27T11:26:41.372Z"),
        ({"msg": "x"}, "2025-07-27T11:26:43Z"),
    ],
    ids=["its line's", "when it was received"],
)
def test_an_entry_of_the_year_one_has_another_time(payload: dict[str, str], time: str) -> None:
    """A line knows its own time better than the log service knows when it came."""
    entry = {
        "insertId": "a",
        "timestamp": "0001-01-01T00:00:00Z",
        "receiveTimestamp": "2025-07-27T11:26:43Z",
        "jsonPayload": payload,
    }
    (read,) = to_entries(to_frame([LogRecord(entry, "a.json:1")], load_catalogue()))

    assert read.time_ns == parse_instant(time)
