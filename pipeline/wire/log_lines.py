"""One log line, one contract: JSON on stdout in the shape that GKE understands.

A service asks for its `Log` once and writes by the message's name. The contract
(``log_contract.toml``) fixes text, severity and fields, so that a reader of the logs can rely on
them: a name or a field that the contract does not know is a `ContractError`, in tests and in
service alike.

GKE reads ``severity``, ``time`` and ``logging.googleapis.com/trace`` off the line and keeps the
rest as ``jsonPayload`` (Cloud Logging, "Structured logging").
"""

from __future__ import annotations

import logging
import os
import sys
import tomllib
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import structlog

from pipeline.wire.tracing import TraceContext

TRACE_KEY = "logging.googleapis.com/trace"
SPAN_KEY = "logging.googleapis.com/spanId"
SAMPLED_KEY = "logging.googleapis.com/trace_sampled"

_TEMPLATES = 1000


class ContractError(Exception):
    """A line that the contract does not know. It is a fault of the service that writes it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the contract."""

    name: str
    service: str
    severity: str
    text: str
    fields: frozenset[str]
    optional: frozenset[str]

    def check(self, given: frozenset[str]) -> None:
        """Raise `ContractError` unless `given` are the fields that this message has."""
        missing = self.fields - given
        unknown = given - self.fields - self.optional
        if missing or unknown:
            raise ContractError(
                f"{self.name}: missing {sorted(missing)}, not in the contract {sorted(unknown)}"
            )


@cache
def load_contract() -> dict[str, Message]:
    """The contract by message name."""
    text = resources.files("pipeline.wire").joinpath("log_contract.toml").read_text("utf-8")
    return {row["name"]: _to_message(row) for row in tomllib.loads(text)["message"]}


def _to_message(row: dict[str, Any]) -> Message:
    return Message(
        name=row["name"],
        service=row["service"],
        severity=row["severity"],
        text=row["text"],
        fields=frozenset(row.get("fields", ())),
        optional=frozenset(row.get("optional", ())),
    )


class Log:
    """Writes the lines of one service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._logger = structlog.get_logger()
        self._messages = {
            name: message for name, message in load_contract().items() if message.service in ("*", service)
        }

    def write(self, name: str, **fields: Any) -> None:
        """Write message `name` with `fields`; None values count as absent."""
        message = self._messages.get(name)
        if message is None:
            raise ContractError(f"{self._service} has no message {name!r} in the contract")
        present = {key: value for key, value in fields.items() if value is not None}
        message.check(frozenset(present))
        self._logger.msg(message.text, severity=message.severity, service=self._service, fields=present)

    def bind(self, trace: TraceContext | None, **fields: Any) -> BoundLog:
        """This log with `trace` and `fields` on each of its lines."""
        return BoundLog(self, trace, fields)


class BoundLog:
    """A `Log` of one session, socket or turn.

    It carries its trace itself, not by the task that happens to run: callbacks of libraries and
    background tasks write under the right trace too.
    """

    def __init__(self, log: Log, trace: TraceContext | None, fields: Mapping[str, Any]) -> None:
        self._log = log
        self._trace = trace
        self._fields = fields

    def write(self, name: str, **fields: Any) -> None:
        """As `Log.write`."""
        with bind_trace(self._trace):
            self._log.write(name, **self._fields, **fields)


def bind_trace(trace: TraceContext | None) -> AbstractContextManager[Any]:
    """Put `trace` on every line of this task while the context lasts; None binds nothing."""
    if trace is None:
        return structlog.contextvars.bound_contextvars()
    return structlog.contextvars.bound_contextvars(
        **{TRACE_KEY: _trace_name(trace.trace_id), SPAN_KEY: trace.span_id, SAMPLED_KEY: trace.sampled}
    )


def _trace_name(trace_id: str) -> str:
    project = os.environ.get("GOOGLE_CLOUD_PROJECT")
    return f"projects/{project}/traces/{trace_id}" if project else trace_id


def configure(service: str) -> Log:
    """Set the process up to log by the contract, libraries' warnings included; called once, first."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _stamp,
            structlog.processors.JSONRenderer(),  # ASCII: a lone surrogate from outside must not stop a line
        ],
        wrapper_class=structlog.BoundLogger,
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    log = Log(service)
    handler = _LibraryHandler(log)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    return log


def _stamp(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Time first, then severity and message: what a person looks for. A field may be called event."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    fields = line.pop("fields")
    return {"time": now, "severity": line.pop("severity"), "message": line.pop("event"), **line, **fields}


class _LibraryHandler(logging.Handler):
    """Lets aiortc, aiokafka and aiohttp speak through the contract, one line a message and second."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._last: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """A library in a loop must not fill the log: the same template once a second."""
        key = (record.name, str(record.msg))
        if record.created - self._last.get(key, 0.0) < 1.0:
            return
        if len(self._last) >= _TEMPLATES:
            self._last.clear()
        self._last[key] = record.created
        text = record.getMessage()
        if record.exc_info:  # behind the first line asyncio writes the text of the error
            text = text.partition("\n")[0]
        self._log.write(
            "library",
            logger=record.name,
            detail=text[:500],
            stack_trace=_outline(record.exc_info[1]) if record.exc_info else None,
        )


def _outline(error: BaseException | None) -> str | None:
    """Where `error` came from and its type, without its text: that may hold what was said."""
    if error is None:
        return None
    return "".join(traceback.format_tb(error.__traceback__, limit=-8)) + type(error).__name__
