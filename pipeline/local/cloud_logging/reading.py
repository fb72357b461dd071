"""A list request -> the query that it asks for, or its refusal; and page tokens.

Facts: the reference of ``entries.list`` and "Quotas and limits" of the Cloud Logging documentation.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
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
    r"(?P<parent>(?:projects|organizations|folders|billingAccounts)/[^/]+)"
    r"(?:/locations/[^/]+/buckets/[^/]+/views/[^/]+)?"
)


def read_query(request: Any, received_until_ns: int) -> Query:
    """The query of a ``ListLogEntriesRequest``; raises `RequestError`."""
    if request.order_by not in _DESCENDING:
        raise invalid(f"Invalid order_by: {request.order_by!r}; use 'timestamp asc' or 'timestamp desc'")
    if not 0 <= request.page_size <= LARGEST_PAGE_SIZE:
        raise invalid(f"page_size must be between 0 and {LARGEST_PAGE_SIZE}, not {request.page_size}")
    if len(request.filter) > LONGEST_FILTER:
        raise invalid(f"The filter has {len(request.filter)} characters, more than {LONGEST_FILTER}")
    try:
        tree = parse(request.filter)
        matches = compile_filter(tree)
        low_ns, high_ns = time_bounds(tree)
    except FilterError as error:
        raise invalid(f"Unparseable filter: {error}") from error
    except RecursionError as error:
        raise invalid("Unparseable filter: too deeply nested") from error
    return Query(
        matches=matches,
        low_ns=low_ns,
        high_ns=high_ns,
        received_until_ns=received_until_ns,
        descending=_DESCENDING[request.order_by],
        page_size=request.page_size or DEFAULT_PAGE_SIZE,
        after=_read_token(request) if request.page_token else None,
    )


def names_project(request: Any, project: str) -> bool:
    """Whether `project` or a view of it is among the request's resources.

    Raises:
        RequestError: there are no resources, too many, or one is not of a known form.
    """
    names = list(request.resource_names)
    if not names:
        raise invalid("resource_names must not be empty")
    if len(names) > MOST_RESOURCES:
        raise invalid(f"There are {len(names)} resource_names, more than {MOST_RESOURCES}")
    matches = [_RESOURCE.fullmatch(name) for name in names]
    for name, match in zip(names, matches, strict=True):
        if match is None:
            raise invalid(f"Invalid resource name: {name!r}")
    return any(match and match["parent"] == f"projects/{project}" for match in matches)


def make_token(request: Any, position: Position) -> str:
    """The token for the page that begins after `position`."""
    return urlsafe_b64encode(orjson.dumps([*position, _fingerprint(request)])).decode()


def _read_token(request: Any) -> Position:
    """The position in the token, if it was made for this request's other parameters."""
    try:
        timestamp_ns, insert_id, fingerprint = orjson.loads(urlsafe_b64decode(request.page_token))
    except (ValueError, TypeError) as error:
        raise invalid("page_token is malformed") from error
    if fingerprint != _fingerprint(request):
        raise invalid("page_token doesn't match arguments from the request")
    if not isinstance(timestamp_ns, int) or not isinstance(insert_id, str):
        raise invalid("page_token is malformed")
    return timestamp_ns, insert_id


def _fingerprint(request: Any) -> str:
    """What a token is bound to. The page size may change from page to page (AIP-158)."""
    parameters = orjson.dumps([list(request.resource_names), request.filter, request.order_by])
    return hashlib.sha256(parameters).hexdigest()[:16]
