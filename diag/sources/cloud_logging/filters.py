"""A query -> the filters that ask it, each short enough for the service.

Always both time bounds (the API has no default window), the resource and the cluster: those are
indexed, session IDs are not. Never a severity: on GKE it tells the stream, not the level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from diag import lql
from diag.model.catalogue import Catalogue
from diag.model.filters import And, Call, Comparison, Filter, Not, Op, Or
from diag.model.identifiers import LOST_TEXTS, IdKind
from diag.model.instants import format_instant
from diag.model.log_resources import LogResource
from diag.model.queries import LogQuery
from diag.model.records import SESSION_ROLES
from diag.model.settings import ClusterSettings
from diag.model.window import Window

LONGEST_FILTER = 20_000
"""Characters (Cloud Logging, quotas)."""

_TEXT_FIELDS = (("jsonPayload", "error"), ("jsonPayload", "rawMessage"), ("textPayload",))
_MESSAGE_FIELDS = (("jsonPayload", "message"), ("jsonPayload", "msg"), ("textPayload",))
_ACTIVITY = "cloudaudit.googleapis.com/activity"
_CHANGES = (
    *(f"io.k8s.apps.v1.deployments.{verb}" for verb in ("create", "update", "patch", "delete")),
    *(f"io.k8s.apps.v1.statefulsets.{verb}" for verb in ("create", "update", "patch", "delete")),
    "io.k8s.apps.v1.replicasets.create",
)
"""What tells revisions: replica sets are made for each, and go with all that is known of them."""

_PAYLOAD, _LABELS = "jsonPayload", "labels"


def build_filters(
    query: LogQuery, cluster: ClusterSettings, resources: Sequence[LogResource], catalogue: Catalogue
) -> tuple[str, ...]:
    """The filters whose answers together answer `query`, asked of `resources` in one request."""
    if query.events:
        return (_build_event_filter(query.window, cluster, resources),)
    frame = build_frame(query.window, cluster)
    if query.where is not None:
        frame = (*frame, query.where)
    fixed = [*_says(query.messages), *(_names_no_session(catalogue) if query.without_ids else ())]
    parts: list[tuple[Filter, ...]] = [tuple(_mentions(text, resources, catalogue)) for text in query.ids]
    return tuple(_pack(frame, parts, tuple(fixed)))


def build_frame(window: Window, cluster: ClusterSettings) -> tuple[Filter, ...]:
    """What every filter begins with: containers of `cluster` in `window`; empty labels narrow nothing."""
    return (
        _equals(("resource", "type"), "k8s_container"),
        *_in_cluster(cluster),
        *_one_of(("resource", "labels", "namespace_name"), cluster.namespaces),
        *_within(window),
    )


def _build_event_filter(window: Window, cluster: ClusterSettings, resources: Sequence[LogResource]) -> str:
    """Events of all objects in the cluster's namespaces, of pods and of what has no resource of its own.

    And the audit log's lines about what pods are made of: one request for both.
    """
    events = (
        _in_log("events", resources),
        *_one_of(("resource", "type"), ("k8s_pod", "k8s_cluster")),
        *_one_of(("jsonPayload", "involvedObject", "namespace"), cluster.namespaces),
    )
    changes = (
        _in_log(_ACTIVITY, resources),
        _equals(("resource", "type"), "k8s_cluster"),
        *_one_of(("protoPayload", "methodName"), _CHANGES),
        *_one_of(
            ("protoPayload", "resourceName"), [f"/namespaces/{one}/" for one in cluster.namespaces], Op.HAS
        ),
    )
    return lql.to_text(And((Or((And(events), And(changes))), *_in_cluster(cluster), *_within(window))))


def _in_cluster(cluster: ClusterSettings) -> Iterator[Filter]:
    yield from _one_of(("resource", "labels", "location"), cluster.locations)
    yield from _one_of(("resource", "labels", "cluster_name"), cluster.names)


def _in_log(log: str, resources: Sequence[LogResource]) -> Filter:
    """By its name where one project has it; a view holds logs of projects that nobody names."""
    if len(resources) == 1 and resources[0].own_project:
        return _equals(("logName",), f"projects/{resources[0].own_project}/logs/{quote(log, safe='')}")
    return Call("log_id", (log,))


def _within(window: Window) -> tuple[Filter, ...]:
    return (
        Comparison(("timestamp",), Op.GE, format_instant(window.start_ns)),
        Comparison(("timestamp",), Op.LT, format_instant(window.end_ns)),
    )


def _one_of(path: tuple[str, ...], values: Sequence[str], how: Op = Op.EQ) -> Iterator[Filter]:
    """Nothing where any value will do."""
    terms = tuple(Comparison(path, how, value) for value in values)
    if terms:
        yield terms[0] if len(terms) == 1 else Or(terms)


def _equals(path: tuple[str, ...], value: str) -> Comparison:
    return Comparison(path, Op.EQ, value)


def _mentions(text: str, resources: Sequence[LogResource], catalogue: Catalogue) -> Iterator[Filter]:
    """Every place where an entry can hold this ID, by its kind."""
    kind = catalogue.classify(text).kind
    if kind is IdKind.TRACE:
        yield from _in_trace(text, resources)
        for key in catalogue.keys_of("trace"):
            yield Comparison(_path_of(key), Op.HAS, text)
        return
    roles = ("connection",) if kind is IdKind.CONNECTION else SESSION_ROLES
    if kind is IdKind.MALFORMED:
        roles = (*roles, "connection", "turn")
    for key in catalogue.keys_of(*roles):
        yield _equals(_path_of(key), text)
    yield from (_equals((_LABELS, key), text) for key in catalogue.keys_of(*roles)[:1])
    yield from (Comparison(path, Op.HAS, text) for path in _TEXT_FIELDS)
    if catalogue.id_patterns:  # IDs that stand inside messages
        yield from (Comparison(path, Op.HAS, text) for path in _MESSAGE_FIELDS[:-1])


def _in_trace(text: str, resources: Sequence[LogResource]) -> Iterator[Filter]:
    """By the whole name, which is indexed; what came from a project that nobody names, by the ID in it."""
    for one in resources:
        if one.own_project:
            yield _equals(("trace",), f"projects/{one.own_project}/traces/{text}")
    if not all(one.own_project for one in resources):
        yield Comparison(("trace",), Op.HAS, text)


def _path_of(key: str) -> tuple[str, ...]:
    """Where a key stands: ``call.sid`` is nested, a key with a domain in it is one name."""
    return (_PAYLOAD, key) if "/" in key else (_PAYLOAD, *key.split("."))


def _says(messages: Iterable[str]) -> Iterator[Filter]:
    for path in _MESSAGE_FIELDS:
        for text in messages:
            yield _equals(path, text)


def _names_no_session(catalogue: Catalogue) -> Iterator[Filter]:
    """No session key at all, or one that holds a lost ID."""
    keys = catalogue.keys_of(*SESSION_ROLES)
    yield And(tuple(Not(Comparison(_path_of(key), Op.HAS, "*", quoted=False)) for key in keys))
    for key in catalogue.keys_of("session"):
        yield from (_equals(_path_of(key), text) for text in sorted(LOST_TEXTS))


def _pack(
    frame: tuple[Filter, ...], parts: list[tuple[Filter, ...]], fixed: tuple[Filter, ...]
) -> Iterator[str]:
    """One filter if it fits; else the parts are halved, and the fixed terms asked by themselves."""
    terms = (*fixed, *(term for part in parts for term in part))
    text = lql.to_text(And((*frame, Or(terms)))) if terms else lql.to_text(And(frame))
    if len(text) <= LONGEST_FILTER:
        yield text
    elif fixed and parts:
        yield from _pack(frame, [], fixed)
        yield from _pack(frame, parts, ())
    elif len(parts) > 1:
        middle = len(parts) // 2
        yield from _pack(frame, parts[:middle], ())
        yield from _pack(frame, parts[middle:], ())
    elif len(fixed) > 1:
        middle = len(fixed) // 2
        yield from _pack(frame, [], fixed[:middle])
        yield from _pack(frame, [], fixed[middle:])
    else:
        raise ValueError(f"a single condition of {len(text)} characters fits no filter")
