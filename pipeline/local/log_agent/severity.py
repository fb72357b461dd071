"""Severities as the agent reads them off a line.

Words and numbers as in fluent-plugin-google-cloud (``parse_severity``), whose behaviour GKE's agent
keeps: case and surrounding blanks do not matter, numbers are cut to hundreds, what is unknown is
DEFAULT.
"""

from __future__ import annotations

DEFAULT = "DEFAULT"
BY_NUMBER = (
    DEFAULT,
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
)
BY_STREAM = {"stdout": "INFO", "stderr": "ERROR"}

_SYNONYMS = {
    "WARN": "WARNING",
    "FATAL": "CRITICAL",
    "TRACE": "DEBUG",
    "TRACE_INT": "DEBUG",
    "FINE": "DEBUG",
    "FINER": "DEBUG",
    "FINEST": "DEBUG",
    "SEVERE": "ERROR",
    "CONFIG": "DEBUG",
    "CRIT": "CRITICAL",
    "EMERG": "EMERGENCY",
    "D": "DEBUG",
    "I": "INFO",
    "N": "NOTICE",
    "W": "WARNING",
    "E": "ERROR",
    "C": "CRITICAL",
    "A": "ALERT",
    "F": "CRITICAL",
    "ERR": "ERROR",
}


def parse_severity(value: object) -> str:
    """The severity that a line's ``severity`` field names."""
    word = str(value).strip().upper()
    if word in BY_NUMBER:
        return word
    if word.isascii() and word.isdigit():
        # of a longer number only the size matters, and Python refuses to read very long ones
        return BY_NUMBER[min(int(word[:9]) // 100, len(BY_NUMBER) - 1)]
    return _SYNONYMS.get(word, DEFAULT)
