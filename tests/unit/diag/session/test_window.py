"""Where to look for a session."""

from __future__ import annotations

from diag.model.identifiers import classify
from diag.model.window import MINUTE_NS, Window
from diag.session.window import clip_window, plan_window, widen_window

ASKED = classify("session_1753615601372_cz4gw0fl5")
MINTED = 1_753_615_601_372_000_000
LATER = MINTED + 60 * MINUTE_NS


def test_the_window_comes_from_the_time_inside_the_id() -> None:
    """A minute before it, a quarter of an hour after."""
    assert plan_window(ASKED, LATER) == Window(MINTED - MINUTE_NS, MINTED + 15 * MINUTE_NS)


def test_the_window_never_reaches_beyond_now() -> None:
    """Nothing can be there yet."""
    now = MINTED + 2 * MINUTE_NS

    assert plan_window(ASKED, now) == Window(MINTED - MINUTE_NS, now)


def test_what_is_given_wins_over_the_id() -> None:
    """--since and --until are meant as they are typed."""
    assert plan_window(ASKED, LATER, 5, 9) == Window(5, 9)


def test_an_id_without_a_time_needs_one_to_be_given() -> None:
    """There is no telling where to look."""
    trace = classify("4bf92f3577b34da6a3ce929d0e0e4736")

    assert plan_window(trace, LATER) is None
    assert plan_window(trace, LATER, since_ns=MINTED) == Window(MINTED, LATER)


def test_a_mint_time_that_no_clock_shows_counts_as_none() -> None:
    """Years ahead, or the year 1970."""
    assert plan_window(classify("session_1953615601372_cz4gw0fl5"), LATER) is None
    assert plan_window(classify("session_0000000000001_cz4gw0fl5"), LATER) is None


def test_a_session_at_the_edge_widens_its_window() -> None:
    """Until it lies inside, or the window has reached now."""
    window = Window(MINTED - MINUTE_NS, MINTED + 15 * MINUTE_NS)
    inside = Window(MINTED, MINTED + 5 * MINUTE_NS)
    late = Window(MINTED, window.end_ns - 1)

    assert widen_window(window, inside, LATER) is None
    assert widen_window(window, late, LATER) == Window(window.start_ns, window.end_ns + 16 * MINUTE_NS)
    assert widen_window(window, None, LATER) is None


def test_a_given_edge_never_moves() -> None:
    """--since and --until are meant as they are typed; the other edge may still move."""
    window = Window(MINTED, MINTED + 15 * MINUTE_NS)
    whole = Window(window.start_ns, window.end_ns - 1)

    both = widen_window(window, whole, LATER)
    assert both is not None
    since = widen_window(window, whole, LATER, since_ns=window.start_ns)
    assert since == Window(window.start_ns, both.end_ns)
    until = widen_window(window, whole, LATER, until_ns=window.end_ns)
    assert until == Window(both.start_ns, window.end_ns)
    assert widen_window(window, whole, LATER, window.start_ns, window.end_ns) is None


def test_an_end_before_the_id_s_own_time_is_searched_up_to() -> None:
    """The user may know better than the client's clock."""
    until = MINTED - 60 * MINUTE_NS

    assert plan_window(ASKED, LATER, until_ns=until) == Window(until - 16 * MINUTE_NS, until)
    assert plan_window(ASKED, LATER, MINTED + 20 * MINUTE_NS) == Window(
        MINTED + 20 * MINUTE_NS, MINTED + 35 * MINUTE_NS
    )
    assert plan_window(ASKED, LATER, MINTED, LATER + MINUTE_NS) == Window(MINTED, LATER)


def test_a_window_is_clipped_to_what_is_given() -> None:
    """An empty one stands at the edge that excludes it."""
    window = Window(100, 200)

    assert clip_window(window, None, None) == window
    assert clip_window(window, 150, None) == Window(150, 200)
    assert clip_window(window, 50, 120) == Window(100, 120)
    assert clip_window(window, 300, 400) == Window(300, 300)
    assert clip_window(window, 20, 40) == Window(40, 40)
