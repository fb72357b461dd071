"""The pages of one filter: all of them, once, in order, whatever way they are cut and whichever comes first."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.errors import SourceError
from diag.model.instants import NS_PER_S
from diag.model.window import Window
from diag.sources.cloud_logging import paging
from diag.sources.cloud_logging.messages import Page
from diag.sources.cloud_logging.paging import Paging
from diag.sources.cloud_logging.slices import MOST_SLICES, cut_rest

PAGE = 3
WINDOW = Window(0, 1000)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", PAGE)


class Service:
    """Entries by time and number, in pages; `fail` at this request, and answers in any order."""

    def __init__(self, times: list[int], delays: list[int] = (), fail: int = 0) -> None:
        self.entries = sorted((time, f"{number:03d}") for number, time in enumerate(times))
        self.delays = delays or [0]
        self.fail = fail
        self.asked: list[tuple[str, str]] = []

    async def fetch(self, text: str, token: str) -> SimpleNamespace:
        self.asked.append((text, token))
        number = len(self.asked)
        for _ in range(self.delays[number % len(self.delays)]):
            await asyncio.sleep(0)
        if number == self.fail:
            raise SourceError("away")
        start, end = json.loads(text)
        found = [one for one in self.entries if start <= one[0] < end]
        first = int(token or 0)
        more = first + PAGE < len(found)
        entries = [_entry(*one) for one in found[first : first + PAGE]]
        return SimpleNamespace(entries=entries, next_page_token=str(first + PAGE) if more else "")


def _entry(time: int, insert_id: str):
    entry = Page().entries.add(insert_id=insert_id)
    entry.timestamp.seconds, entry.timestamp.nanos = divmod(time, NS_PER_S)
    return entry


def to_paging(service: Service, most: int = 10_000) -> Paging:
    return Paging(service.fetch, lambda window: json.dumps([window.start_ns, window.end_ns]), WINDOW, most)


def read(service: Service, most: int = 10_000) -> tuple[list[str], Paging, bool]:
    """The insert IDs in the order in which they came, and whether it ended in an error."""
    reading, came = to_paging(service, most), []

    async def collect() -> bool:
        try:
            async for batch in reading.batches():
                came.extend(record.data["insertId"] for record in batch)
        except SourceError:
            return True
        return False

    return came, reading, asyncio.run(collect())


times = st.lists(st.integers(0, 999) | st.just(7), max_size=60)
delays = st.lists(st.integers(0, 5), min_size=1, max_size=7)


@given(times, delays)
def test_every_entry_once_in_order(times: list[int], delays: list[int]) -> None:
    """Many at one instant, bursts, gaps: as one page after the other would give them."""
    service = Service(times, delays)

    came, reading, _ = read(service)

    assert came == [insert_id for _, insert_id in service.entries]
    assert reading.unread == ()
    slices = len({text for text, _ in service.asked}) - 1
    assert slices <= MOST_SLICES
    assert len(service.asked) <= max(1, -(-len(times) // PAGE)) + slices + 1


@given(times, delays, delays, st.integers(1, 12))
def test_what_is_read_does_not_depend_on_who_answers_first(
    times: list[int], one: list[int], other: list[int], most: int
) -> None:
    """Also where pages run out: what is missing is the same, and said."""
    first, second = Service(times, one), Service(times, other)

    came, reading, _ = read(first, most)

    assert (came, reading.unread) == (read(second, most)[0], read(second, most)[1].unread)
    assert len(first.asked) <= most
    missing = [time for time, insert_id in first.entries if insert_id not in came]
    assert all(any(w.start_ns <= time < w.end_ns for w in reading.unread) for time in missing)
    assert came == sorted(came, key=[one for _, one in first.entries].index)


@given(times, delays, st.integers(1, 12))
def test_a_failure_keeps_what_came(times: list[int], delays: list[int], fail: int) -> None:
    """In order, and no page of a slice beside it is lost."""
    service = Service(times, delays, fail)

    came, _, failed = read(service)

    order = [insert_id for _, insert_id in service.entries]
    assert came == sorted(set(came), key=order.index)
    assert failed == (len(service.asked) >= fail)
    assert failed or came == order


def test_a_token_that_leads_nowhere_is_a_failure() -> None:
    """What came is kept, and no quota is spent on the same page."""

    class Stuck(Service):
        async def fetch(self, text: str, token: str) -> SimpleNamespace:
            page = await super().fetch(text, token and "3")
            return SimpleNamespace(entries=page.entries, next_page_token="again")  # noqa: S106  no secret

    service = Stuck([n * 16 for n in range(60)])
    came, _, failed = read(service)

    assert failed
    assert {insert_id for _, insert_id in service.entries[:4]} <= set(came)
    assert len(service.asked) <= 1 + 2 * MOST_SLICES


async def test_a_cancellation_keeps_what_came() -> None:
    """Pages that waited for an earlier slice are given before it goes its way."""
    hung = asyncio.Event()

    class Hanging(Service):
        async def fetch(self, text: str, token: str) -> SimpleNamespace:
            if len(self.asked) == 2:  # the second slice's first page
                self.asked.append((text, token))
                hung.set()
                await asyncio.Event().wait()
            return await super().fetch(text, token)

    came: list[str] = []

    async def collect() -> None:
        async for batch in to_paging(Hanging([n * 10 for n in range(100)])).batches():
            came.extend(record.data["insertId"] for record in batch)

    task = asyncio.create_task(collect())
    await hung.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert came == sorted(came)
    assert len(came) > 2 * PAGE


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_slices_are_the_rest_without_gap(first: int, page: int, left: int) -> None:
    """From the page's last entry to the end, at most eight; none where a page may do."""
    last = first + page
    slices = cut_rest(Window(0, last + left), first, last)

    assert len(slices) <= MOST_SLICES
    if slices:
        assert (slices[0].start_ns, slices[-1].end_ns) == (last, last + left)
        assert all(one.end_ns == other.start_ns for one, other in pairwise(slices))
    else:
        assert left <= max(1, page)


def test_slices_of_many_pages_are_read_together() -> None:
    """No slice waits for an earlier one: what takes a hundred pages is over after about a thirteenth of them."""
    service, rounds, running = Service(list(range(0, 999, 3))), 0, 0

    async def fetch(text: str, token: str) -> SimpleNamespace:
        nonlocal rounds, running
        rounds += not running
        running += 1
        await asyncio.sleep(0)
        page = await service.fetch(text, token)
        running -= 1
        return page

    async def read_all() -> int:
        reading = Paging(fetch, lambda window: json.dumps([window.start_ns, window.end_ns]), WINDOW, 1000)
        return sum([len(batch) async for batch in reading.batches()])

    assert asyncio.run(read_all()) == len(service.entries)
    assert rounds <= len(service.asked) / MOST_SLICES + 3
