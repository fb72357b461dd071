"""Times and durations as the objects and messages of Kubernetes write them."""

from __future__ import annotations

from datetime import UTC, datetime


def to_rfc3339(seconds: float) -> str:
    """``metav1.Time``: whole seconds, UTC."""
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"


def to_micro_time(seconds: float) -> str:
    """``metav1.MicroTime``: six digits, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def from_rfc3339(text: str) -> float:
    """Seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


def format_duration(seconds: float) -> str:
    """A duration as Go prints it: ``10s``, ``1m20s``, ``5m0s``, ``500ms``."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}h"] if hours else []
    if hours or minutes:
        parts.append(f"{minutes}m")
    return "".join([*parts, f"{round(rest, 3):g}s"])
