"""Queries as filters: every place an ID can stand, short enough, and never pasted."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from diag import lql
from diag.catalogue import load_catalogue
from diag.model.instants import format_instant
from diag.model.log_resources import parse_resources
from diag.model.queries import LogQuery
from diag.model.settings import ClusterSettings
from diag.model.window import Window
from diag.session.surroundings import ANCHOR_EVENTS
from diag.sources.cloud_logging.budget import RequestBudget
from diag.sources.cloud_logging.filters import LONGEST_FILTER, build_filters

PROJECT = parse_resources("p")
WINDOW = Window(10**18, 10**18 + 10**12)
CLUSTER = ClusterSettings("voice", "europe-west1", "agents")
S, W, T = "session_1753615601372_cz4gw0fl5", "ws_1753615602114220410", "4bf92f3577b34da6a3ce929d0e0e4736"


def filters(**query) -> tuple[str, ...]:
    return build_filters(LogQuery(WINDOW, **query), CLUSTER, PROJECT, load_catalogue())


def entry(**parts):
    return {
        "timestamp": format_instant(WINDOW.start_ns + 1),
        "severity": "DEFAULT",
        "resource": {
            "type": "k8s_container",
            "labels": {"cluster_name": "voice", "location": "europe-west1", "namespace_name": "agents"},
        },
        **parts,
    }


def matches(text: str, **parts) -> bool:
    return lql.compile_filter(lql.parse(text))(entry(**parts))


def test_an_id_is_found_under_every_key_and_in_texts() -> None:
    """Both Go services' keys, the mapping lines', Python's, labels, error texts, raw messages."""
    (text,) = filters(ids=(S,))

    for key in ("sessionID", "session_id", "mediaSessionID", "frontendSessionID", "session-id"):
        assert matches(text, jsonPayload={key: S}), key
    assert matches(text, labels={"session_id": S})
    assert matches(text, jsonPayload={"error": f"connection not found for session: {S}"})
    assert matches(text, jsonPayload={"rawMessage": f'{{"session_id":"{S}"}}'})
    assert matches(text, textPayload=f"panic in {S}")
    assert not matches(text, jsonPayload={"sessionID": "session_1753615601372_other"})


def test_a_trace_is_asked_for_where_it_is_indexed() -> None:
    """And in payloads that carry it themselves."""
    (text,) = filters(ids=(T,))

    assert matches(text, trace=f"projects/p/traces/{T}")
    assert matches(text, jsonPayload={"traceparent": f"00-{T}-00f067aa0ba902b7-01"})


def test_a_connection_is_asked_for_under_its_own_keys() -> None:
    """Not under session keys."""
    (text,) = filters(ids=(W,))

    assert matches(text, jsonPayload={"connID": W})
    assert not matches(text, jsonPayload={"sessionID": W})


def test_every_filter_is_bound_to_window_cluster_and_namespace_and_never_to_severity() -> None:
    """The API has no default window, and severity tells only the stream."""
    for text in filters(ids=(S, W, T), messages=("x",), without_ids=True):
        assert "severity" not in text
        assert lql.time_bounds(lql.parse(text)) == (WINDOW.start_ns, WINDOW.end_ns - 1)
        assert not matches(
            text, jsonPayload={"sessionID": S}, resource={"type": "k8s_container", "labels": {}}
        )


def test_the_surroundings_are_anchors_and_lines_that_name_no_session() -> None:
    """An entry about another session that is no anchor stays out."""
    (text,) = filters(messages=load_catalogue().messages_of(*ANCHOR_EVENTS), without_ids=True)

    assert matches(text, jsonPayload={"msg": "Using session ID from header", "sessionID": S})
    assert matches(text, jsonPayload={"msg": "STT request failed, retrying..."})
    assert matches(text, jsonPayload={"msg": "Session not found for state update", "sessionID": ""})
    assert matches(text, jsonPayload={"msg": "anything", "session_id": "undefined"})
    assert not matches(text, jsonPayload={"msg": "Audio published to Kafka successfully", "sessionID": S})


def test_many_ids_become_several_filters_each_short_enough() -> None:
    """20,000 characters, and no ID lost."""
    ids = tuple(f"session_{1753615601372 + n}_abc" for n in range(150))
    texts = filters(ids=ids, messages=("x",))

    assert len(texts) > 1
    assert all(len(text) <= LONGEST_FILTER for text in texts)
    assert all(any(one in text for text in texts) for one in ids)


@given(st.text(min_size=1, max_size=40))
def test_a_hostile_id_is_a_value_and_nothing_else(hostile: str) -> None:
    """The filter parses, and still holds the window."""
    for text in filters(ids=(hostile,)):
        assert lql.time_bounds(lql.parse(text)) == (WINDOW.start_ns, WINDOW.end_ns - 1)


def test_the_budget_lets_so_many_pass_in_any_minute() -> None:
    """The next has to wait until the first is a minute old."""
    budget = RequestBudget(3)
    for second in (0.0, 10.0, 20.0):
        assert budget.wait_s(second) == 0.0
        budget.spend(second)

    assert budget.wait_s(21.0) == 39.0
    assert budget.wait_s(60.0) == 0.0
    assert budget.total == 3


def test_the_keys_of_a_users_catalogue_are_asked_for(workdir: Path) -> None:
    """Nested ones by their path; where IDs stand in messages, these are searched, too."""
    Path("my.toml").write_text(
        "[ids]\nsession = ['call.sid', 'callSid']\nconnection = ['connId']\n[forms]\nsession = ['CA[0-9]+']\n"
    )
    more = (
        "[[patterns]]\nshown = 'x'\nsamples = ['leg A1']\npattern = '^leg (?P<callSid>.+)'\nevent = 'log'\n"
    )
    Path("more.toml").write_text(more)
    query = LogQuery(WINDOW, ids=("CA12",))
    (text,) = build_filters(query, CLUSTER, PROJECT, load_catalogue(["my.toml"]))
    (longer,) = build_filters(query, CLUSTER, PROJECT, load_catalogue(["my.toml", "more.toml"]))

    assert 'jsonPayload.call.sid = "CA12"' in text or 'jsonPayload.call.sid="CA12"' in text
    assert "jsonPayload.callSid" in text
    assert "connId" not in text
    assert "jsonPayload.msg" not in text
    assert "jsonPayload.msg" in longer


def test_several_namespaces_are_asked_for_together_and_no_other() -> None:
    """One query for all of them."""
    both = ClusterSettings("voice", "europe-west1", "agents, broker")
    (text,) = build_filters(LogQuery(WINDOW, ids=(S,)), both, PROJECT, load_catalogue())

    def hears(namespace: str) -> bool:
        labels = {"cluster_name": "voice", "location": "europe-west1", "namespace_name": namespace}
        return matches(
            text, jsonPayload={"sessionID": S}, resource={"type": "k8s_container", "labels": labels}
        )

    assert [hears(one) for one in ("agents", "broker", "billing")] == [True, True, False]


def test_events_of_the_cluster_are_asked_for_by_their_objects_namespace() -> None:
    """Those of a deployment have no namespace of their own in the log service."""
    (text,) = filters(events=True)
    deployment = {"type": "k8s_cluster", "labels": {"cluster_name": "voice", "location": "europe-west1"}}

    def hears(log: str, namespace: str) -> bool:
        payload = {"involvedObject": {"namespace": namespace}}
        return matches(text, logName=f"projects/p/logs/{log}", resource=deployment, jsonPayload=payload)

    assert hears("events", "agents")
    assert not hears("events", "billing")
    assert not hears("stdout", "agents")


def test_without_a_namespace_every_one_of_the_cluster_is_searched() -> None:
    """Services of one session may live in several; naming one leaves the others out."""
    query = LogQuery(WINDOW, ids=(S,))
    (everywhere,) = build_filters(query, ClusterSettings("voice", "europe-west1"), PROJECT, load_catalogue())
    (named,) = build_filters(query, CLUSTER, PROJECT, load_catalogue())

    for namespace, found in (("agents", True), ("media", False)):
        labels = {"cluster_name": "voice", "location": "europe-west1", "namespace_name": namespace}
        place = {"resource": {"type": "k8s_container", "labels": labels}, "jsonPayload": {"sessionID": S}}
        assert matches(everywhere, **place)
        assert matches(named, **place) is found


def test_a_further_filter_stands_beside_the_others() -> None:
    """Its alternatives are its own: what it leaves out is not let in by an ID, nor the other way round."""
    where = lql.parse('severity>=ERROR OR jsonPayload.k="v"')
    (text,) = filters(ids=(S,), where=where)

    assert matches(text, severity="ERROR", jsonPayload={"sessionID": S})
    assert matches(text, jsonPayload={"sessionID": S, "k": "v"})
    assert not matches(text, jsonPayload={"sessionID": S})
    assert not matches(text, severity="ERROR", jsonPayload={"sessionID": "session_1_other"})
