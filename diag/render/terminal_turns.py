"""The turns in 80 columns: what each one's time went to, in parts that sum to the total."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from diag.model.instants import format_instant
from diag.model.ledger import BETWEEN, DELIVERY, PLAYING, TRANSPORT, UNACCOUNTED, Duration
from diag.model.session import Session
from diag.model.turns import Turn, TurnOutcome
from diag.render.durations import describe_briefly

_MOST = 12
_STAGES = ("stt", "llm", "tts")
_HEAD = ("before", *_STAGES, "waits", "reply", "other", "total")
_WIDTH = 7


def turn_lines(session: Session, *, judged: bool) -> Iterator[Text]:
    """The table; nothing where no turn went further than its beginning.

    Args:
        session: whose turns they are.
        judged: whether a turn of which no reply was seen is known to have got none.
    """
    told = [turn for turn in session.turns if turn.ledger]
    if not told:
        return
    title = Text("TURNS", style="bold")
    yield title.append("   in ms, from the end of the speech; the parts sum to the total", style="not bold")
    yield Text(f"  {'':6}{''.join(f'{name:>{_WIDTH}}' for name in _HEAD)}", style="dim")
    for turn in told[:_MOST]:
        yield _row(turn, judged=judged)
    if len(told) > _MOST:
        yield Text(f"  ... {len(told) - _MOST} more turns in the report", style="dim")
    rows = [text for turn in told[:_MOST] for text in _cells(turn)]
    legend = [why for mark, why in _LEGEND if any(mark in text for text in rows)]
    if legend:
        yield Text(f"  {'; '.join(legend)}", style="dim")


_LEGEND = (("~", "~ known no better"), ("?", "? nothing ties the times of its two ends"))


def _row(turn: Turn, *, judged: bool) -> Text:
    at = format_instant(turn.start_ns, 3)[17:23]
    silent = turn.outcome is TurnOutcome.UNANSWERED
    bad = (silent and judged) or turn.replay is not None
    cells = "".join(f"{text:>{_WIDTH}}" for text in _cells(turn))
    outcome = "no reply seen" if silent and not judged else _name_outcome(turn)
    return Text(f"  {at}{cells}  {outcome}"[:80], style="red" if bad else "")


def _name_outcome(turn: Turn) -> str:
    """In a word or two, for a narrow column."""
    if turn.outcome is TurnOutcome.EMPTY:
        return "no words"
    unheard = turn.outcome is TurnOutcome.ANSWERED and turn.voice_lost is not None
    return "text only" if unheard else turn.outcome.value


def _cells(turn: Turn) -> Iterator[str]:
    if turn.ledger is None:
        return
    stages = {part.name for part in turn.ledger.parts} - {TRANSPORT, BETWEEN, DELIVERY, PLAYING, UNACCOUNTED}
    others = stages - set(_STAGES)
    columns = ((TRANSPORT,), *((name,) for name in _STAGES), (BETWEEN,), (DELIVERY, PLAYING))
    for names in columns:
        yield describe_briefly(turn.ledger.sum_of(*names))
    rest: Duration | None = turn.ledger.sum_of(UNACCOUNTED, *others)
    yield describe_briefly(rest)
    yield describe_briefly(turn.ledger.total)
