"""What the terminal view says of the way through Kafka."""

from __future__ import annotations

from diag.model.flow import GroupFlow, PartitionFlow, RecordOrder, TopicFlow
from diag.render.flows import describe_flow
from diag.render.markdown import render_markdown
from diag.render.terminal import WIDTH, render_terminal
from tests.cases import diagnose, read_case

CALM = """
# asks: $S
# topics: audio-in=9 audio-out
group orchestrator-group-v2 audio-in/0={committed}
{other}
00:00.220 media-server  info  WHIP connection established with ICE candidates :: sessionID=$S
00:01.000 media-server  info  Audio published to Kafka successfully :: sessionID=$S records=3
00:00.500 record audio-in/0@5..7
"""


def test_nothing_is_said_where_all_was_read_once_and_in_order() -> None:
    """No noise."""
    view = render_terminal(diagnose(read_case(CALM.format(committed=8, other="")))).plain

    assert "KAFKA" not in view


def test_what_stands_out_is_said_topic_by_topic() -> None:
    """In 80 columns; names of groups are text from outside and stay text."""
    other = "group <b>spy|`x` audio-in/0=9"
    diagnosis = diagnose(read_case(CALM.format(committed=6, other=other)))
    view, report = render_terminal(diagnosis).plain, render_markdown(diagnosis)

    told = " ".join(view.partition("KAFKA")[2].partition("COVERAGE")[0].split())
    assert told.startswith(
        "audio-in: 2 of 3 not yet read by orchestrator-group-v2 (3 behind); 3 of 3 read by others"
    )
    assert max(map(len, view.splitlines())) <= WIDTH
    assert "<b>" not in report


def test_every_kind_of_trouble_has_its_words() -> None:
    """Gone, turned, spread, read in part."""
    flow = TopicFlow(
        "audio-in",
        stored=4,
        expired=2,
        order=RecordOrder(inversions=1, across=1, spread={"k": (0, 2)}),
        groups=(GroupFlow("own", "s", owner=True, partitions=(PartitionFlow(0, 4, 4, 4, 0),)),),
        complete=False,
    )

    assert describe_flow(flow) == (
        "2 stored and gone; 2 out of order; one key in 2 partitions; not every record was looked at"
    )
    assert describe_flow(TopicFlow("audio-in")) == ""
