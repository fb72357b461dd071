"""A stretch of time that was, or is to be, searched."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.instants import NS_PER_S, format_clock, format_day, format_instant

MINUTE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open: `start_ns` belongs to it, `end_ns` does not."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns < self.start_ns:
            raise ValueError(f"window ends before it starts: {self}")

    def contains(self, instant_ns: int) -> bool:
        """Whether the instant lies inside."""
        return self.start_ns <= instant_ns < self.end_ns

    def overlaps(self, other: Window) -> bool:
        """Whether the two share an instant, or touch."""
        return self.start_ns <= other.end_ns and other.start_ns <= self.end_ns

    def union(self, other: Window) -> Window:
        """The smallest window that holds both."""
        return Window(min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns))

    def around(self, margin_ns: int) -> Window:
        """This window, longer by `margin_ns` on both sides."""
        return Window(self.start_ns - margin_ns, self.end_ns + margin_ns)

    def to_text(self) -> str:
        """For a person: one date if it is one, UTC, whole seconds."""
        first, last = format_day(self.start_ns), format_day(self.end_ns)
        end = format_clock(self.end_ns, 0) if first == last else f"{last} {format_clock(self.end_ns, 0)}"
        return f"{first} {format_clock(self.start_ns, 0)} - {end} UTC"

    def to_rfc3339(self) -> tuple[str, str]:
        """Both ends, nanoseconds, UTC."""
        return format_instant(self.start_ns), format_instant(self.end_ns)
