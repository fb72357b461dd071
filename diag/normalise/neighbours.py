"""What a line of a file leaves away, taken from the lines beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from diag.model import frames


def fill_from_neighbours(columns: Mapping[str, list[Any]]) -> None:
    """A line without a time has the one before it in its file; without a service, the file's only one."""
    by_file: defaultdict[str, list[int]] = defaultdict(list)
    for row, insert_id in enumerate(columns.get(frames.INSERT_ID, ())):
        if not insert_id:
            by_file[columns[frames.REF][row].rsplit(":", 1)[0]].append(row)
    for rows in by_file.values():
        _fill_times(columns[frames.TIME], rows)
        _fill_service(columns[frames.SERVICE], rows)


def _fill_times(times: list[int | None], rows: Sequence[int]) -> None:
    last = next((times[row] for row in rows if times[row] is not None), None)
    for row in rows:
        if times[row] is None:
            times[row] = last
        else:
            last = times[row]


def _fill_service(services: list[str], rows: Sequence[int]) -> None:
    named = {services[row] for row in rows if services[row]}
    if len(named) == 1:
        only = named.pop()
        for row in rows:
            services[row] = only
