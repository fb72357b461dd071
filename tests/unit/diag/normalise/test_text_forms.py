"""Lines of text say when, how gravely and by whom, in every form that loggers and viewers have."""

from __future__ import annotations

import re

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.instants import format_instant, parse_instant
from diag.model.records import Entry, LogRecord
from diag.normalise import to_frame

S, W = "session_1753615601372_cz4gw0fl5", "ws_1753615602114220410"
SAID = "Received session info from frontend"
POD = "orchestrator-5c9b7f6d84-q8wzn"


def read(*lines: str, file: str = "stdin") -> list[Entry]:
    records = [LogRecord(line, f"{file}:{number}") for number, line in enumerate(lines, 1)]
    return to_entries(to_frame(records, load_catalogue()))


MILLIS, WHOLE = "2025-07-27T11:26:41.372Z", "2025-07-27T11:26:41Z"

FORMS = [
    ("python", f"2025-07-27 11:26:41,372 - app.ws - WARNING - {SAID}", MILLIS, "warning"),
    ("python, short", f"2025-07-27 11:26:41,372 ERROR {SAID}", MILLIS, "error"),
    ("python, level padded", f"2025-07-27 11:26:41,372 INFO     app.ws: {SAID}", MILLIS, "info"),
    ("python, logger", f"2025-07-27 11:26:41,372 DEBUG app - {SAID}", MILLIS, "debug"),
    ("python, brackets", f"[2025-07-27 11:26:41,372] [INFO] {SAID}", MILLIS, "info"),
    ("python, comma", f"2025-07-27 11:26:41,372 [CRITICAL] {SAID}", MILLIS, "fatal"),
    ("flask", f"[2025-07-27 11:26:41,372] ERROR in app: {SAID}", MILLIS, "error"),
    ("gunicorn", f"[2025-07-27 11:26:41 +0000] [7] [INFO] {SAID}", WHOLE, "info"),
    ("loguru", f"2025-07-27 11:26:41.372 | INFO     | app.ws:bind:12 - {SAID}", MILLIS, "info"),
    ("structlog", f"2025-07-27T11:26:41.372Z [warning  ] {SAID}    connID={W} sessionID={S}", MILLIS, "warning"),
    ("structlog, spaces", f"2025-07-27 11:26:41 [info     ] {SAID} sessionID={S}", WHOLE, "info"),
    ("logrus, text", f'time="2025-07-27T11:26:41Z" level=warning msg="{SAID}" connID={W} sessionID={S}', WHOLE, "warning"),
    ("slog, text", f'time=2025-07-27T11:26:41.372Z level=WARN msg="{SAID}" sessionID={S}', MILLIS, "warning"),
    ("logfmt", f'ts=2025-07-27T11:26:41.372Z caller=a.go:1 level=info msg="{SAID}" sessionID={S}', MILLIS, "info"),
    ("zap, console", f'2025-07-27T11:26:41.372Z\tERROR\tws/a.go:12\t{SAID}\t{{"sessionID": "{S}"}}', MILLIS, "error"),
    ("zerolog, console", f"2025-07-27T11:26:41Z WRN {SAID} connID={W} sessionID={S}", WHOLE, "warning"),
    ("Go's log", f"2025/07/27 11:26:41 {SAID}", WHOLE, ""),
    ("log4j", f"2025-07-27 11:26:41,372 [main] WARN  a.b.C - {SAID}", MILLIS, "warning"),
    ("log4j, context", f"2025-07-27 11:26:41,372 [main] WARN  a.b.C [sessionId={S}, connID={W}] - {SAID}", MILLIS, "warning"),
    ("log4j, context first", f"2025-07-27 11:26:41,372 INFO  [exec-1] [sessionId={S}] a.b.C - {SAID}", MILLIS, "info"),
    ("tracing", f"2025-07-27T11:26:41.372Z  INFO call{{session_id={S} peer=x}}:ws{{n=1}}: app::ws: {SAID}", MILLIS, "info"),
    ("loguru, brackets", f"2025-07-27 11:26:41.372 | ERROR    | app.ws:bind:12 - {SAID} (session_id={S}, n=1)", MILLIS, "error"),
    ("loguru, commas", f"2025-07-27 11:26:41.372 | INFO     | app.ws:bind:12 - {SAID} session_id={S}, connID={W}", MILLIS, "info"),
    ("FreeSWITCH", f"2025-07-27 11:26:41.372000 97.30% [WARNING] mod_bot.c:12 {SAID}", MILLIS, "warning"),
    ("Asterisk", f"[2025-07-27 11:26:41.372] ERROR[1234][C-00000012]: res_bot.c: {SAID}", MILLIS, "error"),
    ("Spring", f"2025-07-27T11:26:41.372Z  INFO 1 --- [main] a.b.C   : {SAID}", MILLIS, "info"),
    ("Redpanda", f"WARN  2025-07-27 11:26:41,372 [shard 0] kafka - a.cc:12 - {SAID}", MILLIS, "warning"),
    ("nginx, error", f"2025/07/27 11:26:41 [error] 7#7: *1 {SAID}", WHOLE, "error"),
    ("RFC 5424", f'<12>1 2025-07-27T11:26:41.372Z node orchestrator 7 - [a@1 b="]"] {SAID}', MILLIS, "warning"),
    ("rsyslog", f"2025-07-27T11:26:41.372+00:00 node-1 orchestrator[7]: {SAID}", MILLIS, ""),
    ("spdlog", f"[2025-07-27 11:26:41.372] [orchestrator] [warning] {SAID}", MILLIS, "warning"),
    ("spdlog, pairs", f"[2025-07-27 11:26:41.372] [ws] [info] {SAID} sessionID={S} connID={W}", MILLIS, "info"),
    ("python, pairs", f"2025-07-27 11:26:41,372 INFO app.ws: {SAID} sessionID={S} connID={W}", MILLIS, "info"),
    ("loguru, pairs", f"2025-07-27 11:26:41.372 | INFO     | app.ws:bind:12 - {SAID} sessionID={S}", MILLIS, "info"),
    ("colours", f"2025-07-27T11:26:41.372Z\t\x1b[34mINFO\x1b[0m\ta.go:1\t{SAID}", MILLIS, "info"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "time", "level"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS]
)
def test_a_line_of_text_is_its_words_with_a_time_and_a_level(line: str, time: str, level: str) -> None:
    """What the logger wrote before the words is told apart from them; its fields are fields."""
    (entry,) = read(line)

    assert entry.message == SAID
    assert format_instant(entry.time_ns or 0) == format_instant(parse_instant(time) or 0)
    assert (entry.level, entry.time_known, entry.service) == (level, True, "orchestrator")
    if S in line:
        assert entry.ids_in("session") == (S,)
    if W in line:
        assert entry.ids_in("connection") == (W,)


@pytest.mark.parametrize(
    "line",
    [
        f"[pod/{POD}/orchestrator] {MILLIS} {{}}", f"[{POD} orchestrator] {{}}", f"[{POD}] {{}}", f"{POD} orchestrator {{}}",
        f"voice {POD} orchestrator {MILLIS} {{}}", f"{POD} orchestrator │ {{}}", "orchestrator-0 orchestrator {}",
        "orchestrator-1  | {}", f"orchestrator-1  | {MILLIS} {{}}", f"\x1b[32m{POD}\x1b[0m \x1b[36morchestrator\x1b[0m {{}}",
    ],
    ids=["kubectl", "kubetail", "kubetail, one container", "stern", "stern, all namespaces", "stern, bar", "stern, stateful",
         "compose", "compose, times", "stern, colours"],
)  # fmt: skip
def test_viewers_write_the_pod_before_the_line(line: str) -> None:
    """And the line is read as what it is, be it an object or a text of a logger."""
    json = f'{{"level":"warning","msg":"{SAID}","sessionID":"{S}","time":"{MILLIS}"}}'
    text = f"2025-07-27 11:26:41,372 WARNING {SAID}"
    for inner in (json, text):
        (entry,) = read(line.replace("{}", inner))

        assert (entry.message, entry.level, entry.service) == (SAID, "warning", "orchestrator")
        assert entry.time_ns == parse_instant(MILLIS)
        assert entry.pod == ("" if "|" in line else "orchestrator-0" if "-0 " in line else POD)


def test_a_line_without_a_year_has_the_one_of_what_stands_beside_it() -> None:
    """As klog and syslog do; around New Year it is the nearer one."""
    lines = (
        "2025-12-31T23:59:59.5Z before", "I1231 23:59:59.600000       1 server.go:12] old",
        "W0101 00:00:01.000000       1 server.go:13] new", "Jan  1 00:00:02 node-1 orchestrator[7]: newer",
    )  # fmt: skip
    entries = read(*lines)

    assert [format_instant(entry.time_ns or 0, 1) for entry in entries[1:]] == [
        "2025-12-31T23:59:59.6Z", "2026-01-01T00:00:01.0Z", "2026-01-01T00:00:02.0Z",
    ]  # fmt: skip
    assert [entry.level for entry in entries] == ["", "info", "warning", ""]
    assert [entry.message for entry in entries[1:]] == ["old", "new", "newer"]
    assert entries[3].service == "orchestrator"


def test_the_time_in_an_id_tells_the_year_where_no_line_does() -> None:
    """And where nothing does, none is guessed: the line is kept without a time."""
    line = "I0727 11:26:41.372000       1 server.go:12] bound"

    assert read(f"{line} {S}")[0].time_ns == parse_instant(MILLIS)
    assert read(line)[0].time_ns is None
    assert read("I0231 11:26:41.372000       1 server.go:12] x")[0].message.startswith("I0231")


def test_a_telephone_switch_names_the_call_before_the_words() -> None:
    """Under a name that a catalogue can give a role."""
    uuid = "3f2a9c1e-7b5d-4e8f-9a0b-1c2d3e4f5a6b"
    freeswitch, asterisk = read(
        f"{uuid} 2025-07-27 11:26:41.372000 97.30% [NOTICE] sofia.c:8735 answered",
        "[2025-07-27 11:26:41.372] VERBOSE[1234][C-00000012] pbx.c: Executing",
    )

    assert (freeswitch.message, freeswitch.field("uuid")) == ("answered", uuid)
    assert (asterisk.message, asterisk.field("callid")) == ("Executing", "C-00000012")
    assert freeswitch.time_ns == asterisk.time_ns == parse_instant(MILLIS)


def test_klog_closes_its_words_with_fields() -> None:
    """As its structured calls write them."""
    (entry,) = read(f'I0727 11:26:41.372000       1 a.go:12] "{SAID}" sessionID="{S}" n=5')

    assert (entry.message, entry.ids_in("session")) == (SAID, (S,))


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ('10.4.0.12 - - [27/Jul/2025:11:26:41 +0000] "POST /transcribe HTTP/1.1" 200 12 "-" "curl"', WHOLE),
        ('10.4.0.12 - - [27/Jul/2025 11:26:41] "POST /transcribe HTTP/1.1" 200 -', WHOLE),
        ('[2025-07-27 11:26:41] "POST /transcribe HTTP/1.1" 200 -', WHOLE),
        ('[GIN] 2025/07/27 - 11:26:41 | 200 | 1.2s | 10.4.0.12 | POST     "/api/generate"', WHOLE),
        ('time=2025-07-27T11:26:41.372Z level=INFO source=routes.go:1235 msg="server config"', MILLIS),
        ('INFO:     10.4.0.12:41234 - "POST /transcribe HTTP/1.1" 200 OK', None),
    ],
    ids=["nginx, gunicorn", "werkzeug", "the mock's", "gin", "Ollama", "uvicorn"],
)
def test_a_line_that_is_known_as_a_whole_stays_whole_and_has_its_time(line: str, time: str | None) -> None:
    """The catalogue's patterns begin where the line begins."""
    (entry,) = read(line)

    for one in (entry, *read(f"{MILLIS} {line}"), *read(f"{MILLIS} stdout F {line}")):
        assert re.sub(r"<ip [^>]*>", "10.4.0.12", one.message) == line
    assert entry.time_ns == (None if time is None else parse_instant(time))


@pytest.mark.parametrize(
    ("own", "time"),
    [
        ("2025-07-27T11:26:41.3720Z", "2025-07-27T11:26:41.372Z"),
        ("2025-07-27T13:26:41.372+02:00", "2025-07-27T11:26:41.372Z"),
        ("2025-07-27T11:26:41Z", "2025-07-27T11:26:41.372261Z"),
        ("11:26:41.372", "2025-07-27T11:26:41.372261Z"),
        ("2025-13-45T99:26:41.372Z", "2025-07-27T11:26:41.372261Z"),
    ],
)
def test_a_line_that_tells_its_time_has_it_on_every_way(own: str, time: str) -> None:
    """GKE makes it the time of the entry. Where it tells whole seconds the runtime knows better."""
    said = f'{{"time": "{own}", "msg": "{SAID}"}}'
    stamp = "2025-07-27T11:26:41.372261Z"
    lines = (f"{stamp} stdout F {said}", f"[pod/{POD}/orchestrator] {stamp} {said}", f"{stamp} {said}")

    assert {entry.time_ns for entry in read(*lines)} == {parse_instant(time)}


@pytest.mark.parametrize(
    "line",
    [
        "a line of words", "2025-07-27 is a day", "[note] 5 = five", "key=value but words", "Jul 99 99:99:99 x y: z",
        "I think: so", "<b>bold</b>", "a=1 b=2", "session-1 started", "foo | bar", "2025-13-45 99:99:99 what",
        'name="half', "INFO", "[]", "[pod/", "9", "<14>", "=x", "| a | b |",
    ],
)  # fmt: skip
def test_words_stay_words(line: str) -> None:
    """What only looks a little like a header is none."""
    (entry,) = read(line)

    assert (entry.message, entry.time_ns) == (line, None)


@pytest.mark.parametrize(
    "unit",
    ["a", " ", "-", "a=b ", '{"', "[", "9", '\\"', "|", "I0727 ", "<1>", "\x1b[", "2025-07-27 11:26:41 "],
)
def test_a_line_of_a_megabyte_costs_no_time(unit: str) -> None:
    """No form goes over a text again and again."""
    for start in (
        "",
        "2025-07-27 11:26:41 ",
        "2025-07-27T11:26:41Z [info ] ",
        "<14>1 ",
        'a="',
        "a-5c9b7f6d84-q8wz ",
    ):
        assert len(read(start + unit * (300_000 // len(unit)) + "!")) == 1
