"""``diag topics`` on a terminal: the table, what will be or was done, and who must restart."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from diag.model.topics import Starved, TopicReport, TopicRow, TopicState, WantedTopic
from diag.render.neutral import shorten, to_plain

WIDTH = 80
_STYLE = {
    TopicState.OK: "green",
    TopicState.MISSING: "red",
    TopicState.STARVED: "red",
    TopicState.DRIFTED: "yellow",
    TopicState.ORPHAN: "dim",
}


def render_plan(report: TopicReport, *, creating: bool = False) -> Text:
    """Wanted topics against the broker's, and what creating would do, or is about to."""
    plan = report.plan
    lines = [
        Text(f"topics of {to_plain(report.broker)}, cluster {to_plain(plan.cluster_id)}\n", style="bold")
    ]
    lines.append(
        Text(f"  {'state':<9} {'topic':<14} {'path':<8} {'parts':>5} {'records':>8}  readers", style="dim")
    )
    for row in plan.rows:
        lines += _row_lines(row)
    lines += _plan_lines(report, creating=creating)
    return Text("\n").join(lines)


def _row_lines(row: TopicRow) -> Iterator[Text]:
    path = row.wanted.path.value if row.wanted else "-"
    partitions = str(len(row.actual.offsets)) if row.actual else "-"
    records = str(row.actual.stored) if row.actual else "-"
    line = Text("  ").append(f"{row.state.value:<9}", style=_STYLE[row.state])
    readers = ", ".join(f"{to_plain(g)} lag {'-' if lag is None else lag}" for g, lag in row.lags.items())
    name = shorten(to_plain(row.name), 14)
    yield line.append(shorten(f" {name:<14} {path:<8} {partitions:>5} {records:>8}  {readers}", WIDTH - 11))
    for one in row.starved:
        yield Text(f"            {_describe_starved(one, row.state)}", style="red")
    for note in row.notes:
        yield Text(shorten(f"            {to_plain(note)}", WIDTH), style="dim")


def _describe_starved(one: Starved, state: TopicState) -> str:
    alone, group = len(one.members) == 1, to_plain(one.reader.group)
    who = f"1 member of {group}" if alone else f"{len(one.members)} members of {group}"
    waits, gets = ("waits", "gets") if alone else ("wait", "get")
    does = f"{waits} for it" if state is TopicState.MISSING else f"{gets} nothing of it"
    return shorten(f"{who} {does}", WIDTH - 12)


def _plan_lines(report: TopicReport, *, creating: bool) -> Iterator[Text]:
    missing = report.plan.to_create
    if missing:
        yield Text("\nto create", style="bold")
        yield from (Text(shorten(line, WIDTH)) for topic in missing for line in _describe_topic(topic))
        if not creating:
            order = f"--apply {to_plain(report.kept_in)}" if report.kept_in else "--create-missing"
            yield Text(f"\nnothing was changed; diag topics {order} creates them", style="dim")
    starved = [one for row in report.plan.rows if row.state is TopicState.STARVED for one in row.starved]
    if starved:
        yield from _restart_lines(starved, report.namespace)


def _describe_topic(topic: WantedTopic) -> Iterator[str]:
    """In one line, or with its settings below where that is too long: whoever agrees to it has seen all."""
    copies = "default replication" if topic.replication is None else f"{topic.replication} replicas"
    plural = "s" if topic.partitions > 1 else ""
    line = f"  {to_plain(topic.name)}: {topic.partitions} partition{plural}, {copies}"
    settings = [to_plain(f"{name}={value}") for name, value in topic.settings.items()]
    whole = ", ".join((line, *settings))
    if len(whole) <= WIDTH:
        yield whole
    else:
        yield line
        yield from (f"    {one}" for one in settings)


def render_creation(report: TopicReport) -> Text:
    """What was created, and the consumers that must join their group again."""
    lines = [_creation_line(one.topic.name, one.error) for one in report.created]
    lines = [Text(""), *lines] if lines else [Text("\nnothing is missing")]
    if report.restart:
        lines += _restart_lines(report.restart, report.namespace)
    return Text("\n").join(lines)


def _creation_line(name: str, error: str) -> Text:
    if error:
        return Text(shorten(f"  not created {name}: {to_plain(error)}", WIDTH), style="red")
    return Text(f"  created {name}", style="green")


def _restart_lines(starved: list[Starved] | tuple[Starved, ...], namespace: str) -> Iterator[Text]:
    where = f" -n {to_plain(namespace)}" if namespace else ""
    yield Text("\nrestart, so that they join their group again", style="bold")
    for one in starved:
        service = to_plain(one.reader.service or one.reader.group)
        yield Text(f"  {service}   ({to_plain(one.reader.group)}: {', '.join(map(to_plain, one.members))})")
        yield Text(f"    kubectl rollout restart deployment/{service}{where}", style="dim")
