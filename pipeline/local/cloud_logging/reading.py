"""A list request -> the query that it asks for, or its refusal; and page tokens.

Facts: the reference of ``entries.list`` and "Quotas and limits" of the Cloud Logging documentation.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from diag.lql import FilterError, compile_filter, parse, time_bounds
from pipeline.local.cloud_logging.errors import invalid
from pipeline.local.cloud_logging.store import Position, Query

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 1000
MOST_RESOURCES = 100
LONGEST_FILTER = 20_000

_DESCENDING = {"": False, "timestamp asc": False, "timestamp desc": True}
_RESOURCE = re.compile(
    r"(?:projects/(?P<project>[^/]+)|(?:organizations|folders|billingAccounts)/[^/]+)"
    r"(?:/locations/[^/]+/buckets/[^/]+/views/(?P<view>[^/]+))?"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a request may see at most.

    Attributes:
        projects: whose entries.
        oldest_ns: what is older is gone; None: nothing is.
        received_until_ns: what arrived later cannot be read yet.
        page_bytes: see `Query.page_bytes`.
    """

    projects: frozenset[str]
    oldest_ns: int | None
    received_until_ns: int
    page_bytes: int


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter that was understood: as a function, and the times that it can match at all."""

    matches: Callable[[Mapping[str, Any]], bool]
    low_ns: int | None
    high_ns: int | None


def read_query(request: Any, reach: Reach) -> Query:
    """The query of a ``ListLogEntriesRequest``; raises `RequestError`."""
    if request.order_by not in _DESCENDING:
        raise invalid(f"Invalid order_by: {request.order_by!r}; use 'timestamp asc' or 'timestamp desc'")
    page_size = read_page_size(request)
    compiled = read_filter(request.filter)
    lows = [low for low in (compiled.low_ns, reach.oldest_ns) if low is not None]
    return Query(
        matches=compiled.matches,
        projects=reach.projects,
        low_ns=max(lows, default=None),
        high_ns=compiled.high_ns,
        received_until_ns=reach.received_until_ns,
        descending=_DESCENDING[request.order_by],
        page_size=page_size,
        page_bytes=reach.page_bytes,
        after=_read_token(request) if request.page_token else None,
    )


def read_page_size(request: Any) -> int:
    """How many entries or names a page may have; raises `RequestError`."""
    size: int = request.page_size
    if not 0 <= size <= LARGEST_PAGE_SIZE:
        raise invalid(f"page_size must be between 0 and {LARGEST_PAGE_SIZE}, not {size}")
    return size or DEFAULT_PAGE_SIZE


def read_filter(text: str) -> CompiledFilter:
    """The filter of a request; raises `RequestError`."""
    if len(text) > LONGEST_FILTER:
        raise invalid(f"The filter has {len(text)} characters, more than {LONGEST_FILTER}")
    try:
        tree = parse(text)
        return CompiledFilter(compile_filter(tree), *time_bounds(tree))
    except FilterError as error:
        raise invalid(f"Unparseable filter: {error}") from error
    except RecursionError as error:
        raise invalid("Unparseable filter: too deeply nested") from error


@dataclass(frozen=True, slots=True)
class Named:
    """The projects that a request names.

    Attributes:
        projects: as such or by a view.
        viewed: by a view: it may hold what other projects' sinks sent there.
    """

    projects: frozenset[str]
    viewed: frozenset[str]


def read_projects(request: Any) -> Named:
    """What a request names; folders and their like hold nothing.

    Raises:
        RequestError: there are no resources, too many, or one is not of a known form.
    """
    names = list(request.resource_names)
    if not names:
        raise invalid("resource_names must not be empty")
    if len(names) > MOST_RESOURCES:
        raise invalid(f"There are {len(names)} resource_names, more than {MOST_RESOURCES}")
    matches = list(map(_match, names))
    projects = frozenset(filter(None, (match["project"] for match in matches)))
    return Named(projects, projects.intersection(match["project"] for match in matches if match["view"]))


def _match(name: str) -> re.Match[str]:
    match = _RESOURCE.fullmatch(name)
    if match is None:
        raise invalid(f"Invalid resource name: {name!r}")
    return match


def make_token(request: Any, position: Position) -> str:
    """The token for the page that begins after `position`."""
    return urlsafe_b64encode(orjson.dumps([*position, _fingerprint(request)])).decode()


def _read_token(request: Any) -> Position:
    """The position in the token, if it was made for this request's other parameters."""
    try:
        timestamp_ns, insert_id, project, fingerprint = orjson.loads(urlsafe_b64decode(request.page_token))
    except (ValueError, TypeError) as error:
        raise invalid("page_token is malformed") from error
    if fingerprint != _fingerprint(request):
        raise invalid("page_token doesn't match arguments from the request")
    if not (isinstance(timestamp_ns, int) and isinstance(insert_id, str) and isinstance(project, str)):
        raise invalid("page_token is malformed")
    return timestamp_ns, insert_id, project


def _fingerprint(request: Any) -> str:
    """What a token is bound to. The page size may change from page to page (AIP-158)."""
    parameters = orjson.dumps([list(request.resource_names), request.filter, request.order_by])
    return hashlib.sha256(parameters).hexdigest()[:16]
