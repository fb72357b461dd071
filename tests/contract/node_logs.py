"""The log files of a node, and the ways on which their lines reach whoever looks for a session.

The service wrote a line; the runtime put it into a file. From there the log agent takes it to Cloud Logging, from
where a sink takes it to Cloud Storage; and ``kubectl logs`` shows it as it is. Agent and server are those of the stack.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from diag.model.instants import format_instant, parse_instant
from pipeline.local.cri import Piece, format_line, log_path, parse_line, read_pod
from pipeline.local.log_agent.entry import Node
from pipeline.local.log_agent.files import LogFiles
from pipeline.local.log_agent.sender import Sender
from pipeline.local.log_agent.service import LogAgent
from pipeline.local.pods import Pod
from tests.contract.logging_server import PROJECT, Server

TELLS_TIME = "media-server"
"""The service whose lines say when they were written, which the runtime stamps a little later."""
_LATER_NS = 300_000
_TRACE = "logging.googleapis.com/trace"


def write_node(root: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """The files ``NAMESPACE_POD_UID/CONTAINER/0.log`` that the runtime writes where services say these entries."""
    for entry in entries:
        labels = entry["resource"]["labels"]
        name = labels["pod_name"]
        uid = hashlib.sha256(name.encode()).hexdigest()[:32]
        path = log_path(root, Pod(labels["namespace_name"], name, uid, labels["container_name"]), 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        written_at = parse_instant(entry["timestamp"])
        assert written_at is not None
        tells_time = labels["container_name"] == TELLS_TIME and "jsonPayload" in entry
        stamp = written_at + _LATER_NS if tells_time else written_at
        with path.open("ab") as file:
            said = _said(entry, {"time": entry["timestamp"]} if tells_time else {})
            file.write(format_line(stamp, entry["logName"].rpartition("/")[2], Piece(said)))


def _said(entry: Mapping[str, Any], time: Mapping[str, str]) -> bytes:
    """What the service wrote."""
    if "textPayload" in entry:
        return entry["textPayload"].encode()
    trace = {_TRACE: entry["trace"]} if "trace" in entry else {}
    return json.dumps({**time, **entry["jsonPayload"], **trace}, ensure_ascii=False).encode()


def send_node(root: Path, server: Server) -> None:
    """The agent of the stack takes all of it to the server."""
    sender = Sender(f"http://{server.address}")
    agent = LogAgent(LogFiles(root), Node(PROJECT, "voice", "europe-west1", "node-1"), sender)
    while agent.forward():
        pass
    sender.close()


def write_sink(folder: Path, server: Server) -> None:
    """Objects of a bucket as a sink writes them: for each log and hour one, an entry a line, in no order of time."""
    logs: dict[str, list[str]] = {}
    for entry in server.list(""):
        logs.setdefault(entry["logName"].rpartition("/")[2], []).append(json.dumps(_to_whole(entry)))
    for log, lines in logs.items():
        path = folder / log / "2025/07/27/11:00:00_11:59:59_S0.json"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{line}\n" for line in sorted(lines)), "utf-8")


def _to_whole(value: Any) -> Any:
    """Google writes a whole number as one; its Python library makes 79.0 of it, for a Struct has no other."""
    match value:
        case dict():
            return {name: _to_whole(one) for name, one in value.items()}
        case list():
            return [_to_whole(one) for one in value]
        case float():
            return int(value) if value.is_integer() else value
    return value


def write_kubectl(file: Path, root: Path) -> None:
    """What ``kubectl logs --timestamps --prefix`` prints of all pods: one after the other, without their streams."""
    with file.open("wb") as printed:
        for path in sorted(root.glob("*/*/*.log")):
            pod = read_pod(path)
            assert pod is not None
            for line in path.read_bytes().splitlines():
                parsed = parse_line(line)
                assert parsed is not None
                prefix = f"[pod/{pod.name}/{pod.container}] {parsed.time} "
                printed.write(prefix.encode() + parsed.piece.content + b"\n")


def number_lines(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """References, each with the pod of its line, to the line's number in its pod."""
    seen: Counter[str] = Counter()
    numbers = {}
    for ref, pod in lines:
        seen[pod] += 1
        numbers[ref] = f"{pod} line {seen[pod]}"
    return numbers


def refs_of_entries(server: Server) -> Iterator[tuple[str, str]]:
    """``pod@time#insertId`` of what the server holds; insert IDs of one file grow with it."""
    for entry in sorted(server.list(""), key=lambda entry: entry["insertId"]):
        pod = entry["resource"]["labels"]["pod_name"]
        at = parse_instant(entry["timestamp"])
        assert at is not None
        yield f"{pod}@{format_instant(at)}#{entry['insertId']}", pod


def refs_of_kubectl(file: Path) -> Iterator[tuple[str, str]]:
    """``file:line``."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        found = re.match(r"\[pod/([^/]+)/", line)
        assert found
        yield f"{file}:{number}", found[1]


def refs_of_files(root: Path) -> Iterator[tuple[str, str]]:
    """``file:line`` of the runtime's own files."""
    for path in sorted(root.glob("*/*/*.log")):
        pod = read_pod(path)
        assert pod is not None
        for number in range(1, path.read_bytes().count(b"\n") + 1):
            yield f"{path}:{number}", pod.name
