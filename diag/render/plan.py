"""``--explain-plan`` on a terminal: what would be asked, and its cost. A filter stands in one line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from diag.model.reading_plan import PlannedQuery, ReadingPlan
from diag.render.neutral import to_plain
from diag.render.terminal import WIDTH


def render_reading_plan(plan: ReadingPlan) -> Text:
    """The whole plan as one styled text; all but the filters in 80 columns."""
    lines = [*_heading(plan)]
    for number, query in enumerate(plan.queries, 1):
        lines += [Text(""), *_describe(number, query)]
    if plan.notes:
        lines.append(Text(""))
    for note in plan.notes:
        lines += _wrap(note, "")
    return Text("\n").join(lines)


def _heading(plan: ReadingPlan) -> Iterator[Text]:
    if not plan.queries:
        yield Text("No request to Cloud Logging", style="bold")
        return
    least, most = plan.least_requests, plan.most_requests
    yield Text(f"{_count(least, most)} to Cloud Logging, none of them sent", style="bold")
    yield from _wrap(f"{plan.where}; {plan.quota} requests a minute may be spent: {_waits(plan)}", "")


def _count(least: int, most: int) -> str:
    number = str(least) if least == most else f"{least} to {most}"
    return f"{number} request{'' if most == 1 else 's'}"


def _waits(plan: ReadingPlan) -> str:
    least, most = plan.wait_s(plan.least_requests), plan.wait_s(plan.most_requests)
    if not most:
        return "no wait"
    return f"{least} s of waiting" if least == most else f"{least} to {most} s of waiting"


def _describe(number: int, query: PlannedQuery) -> Iterator[Text]:
    window = query.window.to_text() if query.window else "its window is not known yet"
    sure = "" if query.certain else " (may become narrower)" if query.filters else " (only if needed)"
    yield from _wrap(f"{number}. {query.what}{sure}, {window}", "   ", style="bold")
    yield from _wrap(f"   {query.why}", "   ")
    yield from _wrap(f"   at most {_count(query.most_requests, query.most_requests)}", "   ")
    for text in query.filters:
        yield Text(f"   {to_plain(text)}", style="dim")


def _wrap(text: str, indent: str, style: str = "") -> Iterator[Text]:
    plain = indent[: len(text) - len(text.lstrip())] + to_plain(text)
    for line in textwrap.wrap(plain, WIDTH, subsequent_indent=indent, break_on_hyphens=False):
        yield Text(line, style=style)
