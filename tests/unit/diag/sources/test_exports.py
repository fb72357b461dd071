"""What log stores give out: tables, answers of their APIs, and what can not be read but is explained."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.errors import DataError
from diag.model.coverage import State
from diag.model.frames import to_entries
from diag.model.instants import parse_instant
from diag.model.queries import LogQuery
from diag.model.records import Entry
from diag.model.window import Window
from diag.normalise import to_frame
from diag.sources.files import Files, PartReading, source
from diag.sources.files.content import holds_lines, read_content
from diag.sources.files.parts import split_file

AT = parse_instant("2025-07-27T11:26:41.372Z")
S, W = "session_1753615601372_cz4gw0fl5", "ws_1753615602114220410"
POD = "orchestrator-5c9b7f6d84-q8wzn"
SAID = "Received session info from frontend"
LINE = json.dumps({"level": "warning", "msg": SAID, "connID": W, "sessionID": S})


def read(text: str) -> list[Entry]:
    return to_entries(to_frame(read_content(text.encode(), "f").records, load_catalogue()))


def table(*rows: dict[str, str]) -> str:
    stream = io.StringIO()
    made = csv.DictWriter(stream, list(rows[0]))
    made.writeheader()
    made.writerows(rows)
    return stream.getvalue()


TABLES = {
    "Logs Explorer": {
        "insertId": "", "jsonPayload.connID": W, "jsonPayload.level": "warning", "jsonPayload.msg": SAID,
        "jsonPayload.sessionID": S, 'labels."k8s-pod/app"': "orchestrator", "logName": "projects/p/logs/stderr",
        "receiveTimestamp": "2025-07-27T11:26:42Z", "resource.labels.container_name": "orchestrator",
        "resource.labels.pod_name": POD, "resource.type": "k8s_container", "severity": "ERROR", "textPayload": "",
        "timestamp": "2025-07-27T11:26:41.372Z",
    },
    "Logs Explorer, objects": {
        "timestamp": "2025-07-27T11:26:41.372Z", "severity": "ERROR", "jsonPayload": LINE, "logName": "projects/p/logs/stderr",
        "resource": json.dumps({"type": "k8s_container", "labels": {"pod_name": POD, "container_name": "orchestrator"}}),
    },
    "BigQuery": {
        "log_name": "projects/p/logs/stderr", "text_payload": "", "json_payload": LINE, "timestamp": "2025-07-27 11:26:41.372 UTC",
        "resource": json.dumps({"labels": {"pod_name": POD, "container_name": "orchestrator"}}),
    },
    "Kibana": {
        "@timestamp": "Jul 27, 2025 @ 11:26:41.372", "kubernetes.pod.name": POD, "kubernetes.container.name": "orchestrator", "message": LINE,
    },
    "Grafana": {
        "labels": json.dumps({"pod": POD, "container": "orchestrator"}), "Time": "1753615601372", "Line": LINE, "tsNs": "1753615601372000000",
    },
}  # fmt: skip


@pytest.mark.parametrize("row", TABLES.values(), ids=TABLES.keys())
def test_a_row_of_a_table_is_the_entry_that_it_was(row: dict[str, str]) -> None:
    """Message, time, level, pod, service, IDs; and the number of its line."""
    first, second = read(table(row, row))

    assert (first.message, first.time_ns, first.level) == (SAID, AT, "warning")
    assert (first.pod, first.service) == (POD, "orchestrator")
    assert (first.ids_in("session"), first.ids_in("connection")) == ((S,), (W,))
    assert (first.ref, second.ref) == ("f:2", "f:3")


def test_a_cell_of_many_lines_keeps_the_numbers_right() -> None:
    """A stack trace in a cell, and a row that fits no column."""
    text = (
        'timestamp,message,n\n2025-07-27T11:26:41Z,"a\nb",5\n\n2025-07-27T11:26:42Z,next,7\nx,y,z,too many\n'
    )
    records = read_content(text.encode(), "f").records

    assert [record.origin for record in records] == ["f:2", "f:5", "f:6"]
    assert records[0].data == {"timestamp": "2025-07-27T11:26:41Z", "message": "a\nb", "n": "5"}
    assert records[2].data == "x,y,z,too many"


@pytest.mark.parametrize(
    "text", ["Hello, time is now, message\n", "a,b,c\n1,2,3\n", "time flies, she said, log\n", "log,stuff\n"]
)
def test_words_with_commas_are_no_table(text: str) -> None:
    """Columns have names, and a time and something said are among them."""
    assert all(isinstance(record.data, str) for record in read_content(text.encode(), "f").records)


ENTRY = {
    "logName": "projects/p/logs/stderr", "timestamp": "2025-07-27T11:26:41.372Z", "jsonPayload": json.loads(LINE),
    "resource": {"labels": {"pod_name": POD, "container_name": "orchestrator"}},
}  # fmt: skip
HIT = {
    "_index": "l",
    "_id": "1",
    "_source": {
        "@timestamp": "2025-07-27T11:26:41.372Z",
        "message": LINE,
        "kubernetes": {"pod": {"name": POD}, "container": {"name": "orchestrator"}},
    },
}
STREAM = {"stream": {"pod": POD, "container": "orchestrator"}, "values": [["1753615601372000000", LINE]] * 2}

BUNDLES: dict[str, Any] = {
    "entries.list": {"entries": [ENTRY] * 2, "nextPageToken": "x"},
    "Elasticsearch": {"took": 3, "timed_out": False, "hits": {"total": {"value": 2}, "hits": [HIT] * 2}},
    "Loki": {"status": "success", "data": {"resultType": "streams", "result": [STREAM], "stats": {}}},
    "Loki, as pushed": {"streams": [STREAM]},
    "Loki, streams": [STREAM],
}


@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES.keys())
@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_of_a_store_is_its_lines(bundle: Any, indent: int | None) -> None:
    """Numbered through, and never cut into parts."""
    text = json.dumps(bundle, indent=indent)
    entries = read(text)

    assert [(entry.message, entry.time_ns, entry.level) for entry in entries] == [(SAID, AT, "warning")] * 2
    assert [entry.ref for entry in entries] == ["f:1", "f:2"]
    assert {(entry.pod, entry.service) for entry in entries} == {(POD, "orchestrator")}
    assert not holds_lines(text.encode()[:8192])


def test_pages_in_a_row_are_read_all() -> None:
    """An answer a line, as a loop of requests leaves them."""
    pages = "".join(json.dumps(BUNDLES["Elasticsearch"]) + "\n" for _ in range(3))

    assert [entry.ref for entry in read(pages)] == [f"f:{n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    "line",
    [
        {"hits": 5, "msg": "x"},
        {"entries": ["a"], "msg": "x"},
        {"data": {"result": 1}},
        {"streams": 3},
        {"stream": {}, "values": 1},
    ],
)
def test_a_line_with_such_a_key_stays_a_line(line: dict[str, Any]) -> None:
    """A service may count its hits."""
    assert [record.data for record in read_content(json.dumps(line).encode(), "f").records] == [line]


def test_what_is_odd_in_an_answer_is_kept_as_it_is() -> None:
    """Streams without values, values that are none: somebody said it, and it is not lost without a word."""
    text = json.dumps({"streams": [1, {"values": 5}, {"values": [[], [1], 5, [None, None], ["1", "x"]]}]})

    assert [record.data for record in read_content(text.encode(), "f").records] == [
        "1", {"values": 5}, "[]", "[1]", "5",
        {"labels": {}, "timestamp": None, "line": None}, {"labels": {}, "timestamp": "1", "line": "x"},
    ]  # fmt: skip
    assert len(read(text)) == 7


def test_what_loki_knows_of_one_line_is_kept_beside_its_stream() -> None:
    """Structured metadata, and whatever else a damaged answer has there."""
    stream = {"stream": {"app": "tts"}, "values": [["1", "a", {"trace_id": "t"}], ["2", "b", 5, "c"]]}
    first, second = read_content(json.dumps({"streams": [stream]}).encode(), "f").records

    assert first.data == {"labels": {"app": "tts", "trace_id": "t"}, "timestamp": "1", "line": "a"}
    assert second.data == {"labels": {"app": "tts"}, "timestamp": "2", "line": "b", "rest": [5, "c"]}


@pytest.mark.parametrize(
    "own",
    [
        {"session_id": S},
        {"structuredMetadata": {"session_id": S}, "parsed": {"level": "info"}},
        {"structuredMetadata": "x", "parsed": {"session_id": S}},
    ],
)
def test_a_session_that_only_metadata_names_is_found(own: dict[str, Any]) -> None:
    """As labels of entries are: OpenTelemetry sends attributes there, and the line says nothing of them."""
    stream = {"stream": {"app": "tts"}, "values": [["1", "synthesis done", own], ["2", "idle"]]}

    done, idle = read(json.dumps({"streams": [stream]}))

    assert [(one.role, one.key, one.text) for one in done.ids] == [("session", "labels.session_id", S)]
    assert (done.message, done.service, list(idle.ids)) == ("synthesis done", "tts-service", [])


@pytest.mark.parametrize(
    "header",
    [
        b"timestamp,seve\rity,textPayload",
        b'timestamp,"a"\rb,message',
        b"timestamp,price,textual",
        b"message,price,x",
    ],
)
def test_a_header_that_is_no_csv_begins_lines(header: bytes) -> None:
    """A broken one ends nothing, nor one without a time or a text: the file is read line by line."""
    lines = header + b"\n2025-07-27T11:26:41Z,INFO,one\n"

    assert len(read_content(lines, "f").records) == 2


def test_gclouds_yaml_is_told_from_logs(tmp_path: Path) -> None:
    """``gcloud logging read`` writes it unasked; one line says what to do."""
    text = "---\ninsertId: abc\njsonPayload:\n  msg: x\nlogName: projects/p/logs/stdout\n"
    with pytest.raises(DataError) as raised:
        read_content(text.encode(), "f")

    assert raised.value.hint == "add --format=json to gcloud logging read"
    assert read("--- a line\ninsertId: of text\n")[0].message == "--- a line"
    (tmp_path / "f").write_text(text * 9)
    with pytest.raises(DataError):
        list(PartReading(*split_file(str(tmp_path / "f"), "f", 50)))


async def read_files(*names: str):
    files = Files(names)
    records = [record async for batch in files.read(LogQuery(Window(0, 0))) for record in batch]
    return [record.origin for record in records], files.coverage()


async def test_a_pattern_that_the_shell_left_is_matched(workdir: Path) -> None:
    """In quotes, or on a shell that has none; a file that is called so is itself."""
    for name in ("logs/a.log", "logs/deep/b.log", "c[1].log"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("one\n")

    assert (await read_files("logs/**/*.log"))[0] == ["logs/a.log:1", "logs/deep/b.log:1"]
    assert (await read_files("c[1].log"))[0] == ["c[1].log:1"]
    _, coverage = await read_files("no*.log")
    assert coverage.state is State.FAILED
    assert coverage.notes == ("no*.log: no such file; check the name and your rights",)


async def test_a_folder_is_walked_but_no_link_out_of_it(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a folder may lead back, or anywhere; and a folder has an end."""
    Path("out").mkdir()
    Path("out/secret.log").write_text("secret\n")
    Path("logs/deep").mkdir(parents=True)
    Path("logs/deep/back").symlink_to("..")
    Path("logs/out").symlink_to(Path("out").absolute())
    for n in range(3):
        Path(f"logs/{n}.log").write_text("one\n")

    assert (await read_files("logs"))[0] == [f"logs/{n}.log:1" for n in range(3)]
    monkeypatch.setattr(source, "_MOST_FILES", 2)
    origins, coverage = await read_files("logs")
    assert (len(origins), coverage.state) == (2, State.PARTIAL)
    assert "more than 2 files" in coverage.notes[0]
