from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.cloud_logging.store import STEP, EntryStore, Query, StoredEntry


def make(timestamp_ns, insert_id="", received_ns=0, **document):
    return StoredEntry(
        (timestamp_ns, insert_id, "p"), received_ns, document, f"{timestamp_ns}{insert_id}".encode()
    )


def ask(**changes):
    values = {
        "matches": lambda _: True,
        "low_ns": None,
        "high_ns": None,
        "received_until_ns": 10**9,
        "descending": False,
        "page_size": 1000,
        "page_bytes": 10**7,
        "projects": frozenset({"p"}),
        "after": None,
    }
    return Query(**{**values, **changes})


def filled(*entries):
    store = EntryStore()
    store.add(entries)
    return store


def search_all(store, **changes):
    """The pages of a search, until it is complete."""
    pages, after = [], None
    while True:
        page = store.search(ask(**changes, after=after))
        pages.append(page.entries)
        if page.resume is None:
            return pages
        after = page.resume


def test_order_is_by_time_then_insert_id():
    """Whatever order entries arrive in, they are found in one."""
    store = filled(make(2, "b"), make(1, "z"), make(2, "a"))
    store.add([make(1, "a")])

    assert store.search(ask()).entries == [b"1a", b"1z", b"2a", b"2b"]
    assert store.search(ask(descending=True)).entries == [b"2b", b"2a", b"1z", b"1a"]


def test_duplicates_are_dropped():
    """The first of several entries with one timestamp and insert ID stays."""
    store = filled(make(1, "a", name="first"), make(1, "a", name="second"))
    store.add([make(1, "a", name="third"), make(1, "b")])

    assert len(store) == 2
    assert store.search(ask(matches=lambda document: document.get("name") == "first")).entries == [b"1a"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, [b"1", b"2", b"3"]),
        (2, None, [b"2", b"3"]),
        (None, 2, [b"1", b"2"]),
        (2, 2, [b"2"]),
        (4, None, []),
        (3, 1, []),
    ],
)
@pytest.mark.parametrize("descending", [False, True])
def test_bounds_include_their_ends(low, high, expected, descending):
    """Both bounds belong to the span that is searched."""
    store = filled(make(1), make(2), make(3))

    found = store.search(ask(low_ns=low, high_ns=high, descending=descending)).entries

    assert found == (expected[::-1] if descending else expected)


def test_entries_appear_when_they_are_received():
    """What arrived later than the query may see is not found."""
    store = filled(make(1, received_ns=5), make(2, received_ns=6))

    assert store.search(ask(received_until_ns=5)).entries == [b"1"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.booleans())),
    st.integers(1, 4),
    st.booleans(),
)
def test_pages_are_the_whole_in_pieces(rows, page_size, descending):
    """Every match is on exactly one page, in order, and no page but the last can be short."""
    store = EntryStore()
    for timestamp, insert_id, wanted in rows:
        store.add([make(timestamp, insert_id, wanted=wanted)])
    matches = {"matches": lambda document: document["wanted"], "descending": descending}

    pages = search_all(store, page_size=page_size, **matches)

    assert [entry for page in pages for entry in page] == store.search(ask(**matches)).entries
    assert all(len(page) == page_size for page in pages[:-1])


def test_entries_that_come_between_pages_shift_nothing():
    """A page begins where the one before ended, not at a number."""
    store = filled(*(make(time) for time in range(10, 16)))
    first = store.search(ask(page_size=3))
    store.add([make(1), make(12, "late"), make(20)])

    second = store.search(ask(page_size=10, after=first.resume))

    assert first.entries == [b"10", b"11", b"12"]
    assert second.entries == [b"12late", b"13", b"14", b"15", b"20"]


def test_search_that_may_not_go_on_ends_its_page():
    """Out of time, a page ends early, maybe empty, and the next one goes on."""
    store = filled(*(make(time, wanted=time == STEP + 1) for time in range(STEP + 2)))
    query = ask(matches=lambda document: document["wanted"])

    first = store.search(query, lambda: False)
    second = store.search(ask(matches=query.matches, after=first.resume))

    assert first.entries == []
    assert first.resume == (STEP - 1, "", "p")
    assert second.entries == [b"%d" % (STEP + 1)]
    assert second.resume is None


def test_readers_do_not_wait_for_writers():
    """A search goes on over what was there when it began, while entries arrive."""
    store = filled(*(make(time) for time in range(100)))
    inside, written = threading.Event(), threading.Event()

    def slow(_):
        inside.set()
        assert written.wait(60)
        return True

    found = []
    reader = threading.Thread(target=lambda: found.extend(store.search(ask(matches=slow)).entries))
    reader.start()
    assert inside.wait(60)
    store.add([make(50, "new"), make(1000)])
    written.set()
    reader.join(20)

    assert len(found) == 100
    assert len(store) == 102
