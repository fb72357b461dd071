"""A service's line inside of an object that a collector wrapped around it.

Docker and fluent-bit (``log``, ``stream``), stern (``podName``), filebeat and Vector (``kubernetes``),
journald (``MESSAGE``), Loki (``line``), loguru (``record``): each says when and where the line was
written, and the line itself is read as what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diag.model.instants import NS_PER_US
from diag.normalise.draft import EMPTY, Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.levels import LEVEL_KEYS, STREAM_LEVELS, SYSLOG_LEVELS, take_level, to_level
from diag.normalise.text_line import read_text_line
from diag.normalise.timestamps import to_instant

Object = Mapping[str, Any]
Reader = Callable[[Object], Draft]

_OUTER_TIMES = ("time", "@timestamp", "timestamp", "date", "tsNs")
_PODS = ("pod_name", "podName", "pod", "k8s_pod_name")
_CONTAINERS = ("container_name", "containerName", "container", "k8s_container_name")
_APPS = (
    "app",
    "app.kubernetes.io/name",
    "app_kubernetes_io_name",
    "app_kubernetes_io/name",
    "service_name",
    "job",
)


_OF_COLLECTORS = frozenset(
    {*_OUTER_TIMES}.union(
        ("log", "message", "stream", "logtag", "_p", "tag", "kubernetes", "docker", "container", "attrs"),
        ("labels", "podName", "containerName", "nodeName", "namespace", "file", "host", "source_type"),
        (
            "input",
            "agent",
            "ecs",
            "event",
            "@version",
            "data_stream",
            "elastic_agent",
            "cloud",
            "orchestrator",
        ),
    )
)
"""What they say of a line; what else stands beside it is the service's."""


def find_wrapper(keys: frozenset[str]) -> Reader | None:
    """How an object with these keys is read; None if nothing is wrapped in it."""
    return next((reader for fits, reader in _WRAPPERS if fits(keys)), None)


def _is_docker(keys: frozenset[str]) -> bool:
    return "log" in keys and bool(keys & {"stream", "kubernetes"}) and "msg" not in keys


def _is_stern(keys: frozenset[str]) -> bool:
    return {"message", "podName", "containerName"} <= keys


def _is_shipped(keys: frozenset[str]) -> bool:
    return {"message", "kubernetes"} <= keys


def _is_loki(keys: frozenset[str]) -> bool:
    return {"line", "timestamp"} <= keys and bool(keys & {"labels", "fields"})


def _is_journal(keys: frozenset[str]) -> bool:
    return "MESSAGE" in keys and bool(
        keys & {"__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "__CURSOR"}
    )


def _read_log(data: Object) -> Draft:
    return _read_inner(data, "log")


def _read_message(data: Object) -> Draft:
    return _read_inner(data, "message")


def _read_inner(data: Object, key: str) -> Draft:
    outer, line = _read_place(data, data), data[key]
    if isinstance(line, str):
        draft = read_text_line(line.rstrip("\r\n"), outer)
        return _beside(data, draft)
    return read_json_line(line if key == "log" and isinstance(line, dict) else data, outer)


def _beside(data: Object, inner: Draft) -> Draft:
    """With what a filter of the collector parsed out of the line, and put beside it."""
    fields = {name: value for name, value in data.items() if name not in _OF_COLLECTORS}
    if not fields:
        return inner
    level = take_level(fields, [key for key in LEVEL_KEYS if key in fields])
    return inner._replace(level=level or inner.level, payload={**fields, **inner.payload})


def _read_loki(data: Object) -> Draft:
    labels = _mapping(data.get("labels") or data.get("fields"))
    # Some send what names the session as a label, or as metadata of the line, and leave it out of the line.
    line, outer = data["line"], _read_place(data, labels)._replace(labels=labels)
    return read_text_line(line, outer) if isinstance(line, str) else read_json_line(data, outer)


def _read_place(data: Object, labels: Object) -> Draft:
    """When and where a line was written, from what a collector knows."""
    kubernetes = _mapping(labels.get("kubernetes"))
    own = _mapping(kubernetes.get("labels") or kubernetes.get("pod_labels"))
    pod = _name_in(kubernetes, _PODS) or _name_in(labels, _PODS)
    hints = (
        _name_in(kubernetes, _CONTAINERS),
        _name_in(labels, _CONTAINERS),
        _name_in(own, _APPS),
        _name_in(labels, _APPS),
        pod,
    )
    stream = data.get("stream") or labels.get("stream")
    return Draft(
        time_ns=next((at for key in _OUTER_TIMES if (at := _read_time(data.get(key))) is not None), None),
        level=STREAM_LEVELS.get(stream, "") if isinstance(stream, str) else "",
        pod=pod,
        name_hints=tuple(dict.fromkeys(name for name in hints if name)),
        log_name=stream if isinstance(stream, str) else "",
    )


def _name_in(found: Object, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = found.get(key)
        value = value.get("name") if isinstance(value, dict) else value
        if value and isinstance(value, str):
            return value
    return ""


def _read_time(value: object) -> int | None:
    """Loki writes nanoseconds as a text."""
    return to_instant(
        int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else value
    )


def _read_journal(data: Object) -> Draft:
    stamp = next(
        (data[key] for key in ("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP") if key in data), None
    )
    outer = Draft(
        time_ns=int(stamp) * NS_PER_US
        if isinstance(stamp, str) and stamp.isdecimal() and len(stamp) < 17
        else None,
        level=SYSLOG_LEVELS.get(str(data.get("PRIORITY")), ""),
        name_hints=tuple(_journal_names(data)),
        log_name="journal",
    )
    return read_text_line(_journal_text(data["MESSAGE"]), outer)


def _journal_names(data: Object) -> list[str]:
    names = (data.get(key) for key in ("CONTAINER_NAME", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT"))
    return [name.removesuffix(".service") for name in names if name and isinstance(name, str)]


def _journal_text(message: object) -> str:
    """A message that is no UTF-8 is an array of its bytes."""
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(
            "utf-8", "replace"
        )
    return message if isinstance(message, str) else ""


def _read_loguru(data: Object) -> Draft:
    record = _mapping(data.get("record"))
    time, level = _mapping(record.get("time")), _mapping(record.get("level"))
    extra, message = _mapping(record.get("extra")), record.get("message")
    inner = read_json_line(
        {**extra, "msg": message if isinstance(message, str) else str(data.get("text", ""))}
    )
    stamp = to_instant(time.get("timestamp"))
    return inner._replace(
        time_ns=stamp if stamp is not None else inner.time_ns, level=to_level(level.get("name", ""))
    )


def _mapping(value: object) -> Object:
    return value if isinstance(value, dict) else EMPTY


_WRAPPERS: tuple[tuple[Callable[[frozenset[str]], bool], Reader], ...] = (
    (_is_journal, _read_journal),
    (_is_stern, _read_message),
    (_is_shipped, _read_message),
    (_is_docker, _read_log),
    (_is_loki, _read_loki),
    (lambda keys: {"text", "record"} == keys, _read_loguru),
)
