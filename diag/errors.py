"""The exception tree. It imports nothing of ours and is caught once, in ``cli/program.py``.

    DiagError                 carries the exit code and a hint that names the remedy
    ├── UsageError            the words of the command do not make sense          exit 2
    ├── SettingsError         a setting is wrong, wherever it came from           exit 2
    ├── FilterError           a filter of the query language, with its position   exit 2
    ├── DataError             a packaged or given data file is wrong, with place  exit 2
    └── SourceError           a source that was asked for could not be read       exit 4
        └── NotAllowedError   a right is missing, or it is not there

A source that fails does not raise to the top: its failure is recorded in its coverage, and the
others go on. `SourceError` reaches the top only where there is nothing else to show.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to a script (the findings' codes are ``10 + severity``)."""

    OK = 0
    FAULT = 1
    USAGE = 2
    NOTHING_FOUND = 3
    SOURCE_FAILED = 4
    INCOMPLETE = 5
    FOUND_INFO = 10
    FOUND_WARNING = 11
    FOUND_ERROR = 12
    FOUND_CRITICAL = 13
    INTERRUPTED = 130
    """128 + SIGINT: ended before there was anything to say."""


class DiagError(Exception):
    """What went wrong, where, in one line; `hint` says what to do about it."""

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(DiagError):
    """The command line contradicts itself or lacks something."""

    exit_code = ExitCode.USAGE


class SettingsError(DiagError):
    """A setting has no sense; the message names it and where it came from."""

    exit_code = ExitCode.USAGE


class DataError(DiagError):
    """A catalogue, topic list or input is not of its form; the message names file and line."""

    exit_code = ExitCode.USAGE


class FilterError(DiagError):
    """A filter that does not parse: ``syntax error at line 1, column 20, token ':'``.

    Attributes:
        problem: what is wrong, without the place.
        line: from 1.
        column: from 1, in characters.
        token: what stands there; empty where nothing does.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, problem: str, line: int, column: int, token: str = "", *, hint: str = "") -> None:
        shown = f", token {token!r}" if token else ""
        super().__init__(f"{problem} at line {line}, column {column}{shown}", hint=hint)
        self.problem = problem
        self.line = line
        self.column = column
        self.token = token


class SourceError(DiagError):
    """A source could not be read; `hint` says what would let it."""

    exit_code = ExitCode.SOURCE_FAILED


class NotAllowedError(SourceError):
    """We may not read it, or it does not exist: who may not read is not told which."""
