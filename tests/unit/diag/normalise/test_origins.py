"""Pods of one name in several projects, clusters and namespaces stay several; those of one stay as they are."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import polars as pl
import pytest

from diag.catalogue import load_catalogue
from diag.model.records import LogRecord
from diag.normalise import join_frames, to_frame

Where = tuple[str, str, str, str]
HERE: Where = ("p", "eu", "voice", "prod")


def entry(number: int, where: Where, pod: str = "media-server-0", **other: Any) -> dict[str, Any]:
    """One of GKE's, written in project, location, cluster and namespace."""
    project, location, cluster, namespace = where
    labels = {
        "project_id": project,
        "location": location,
        "cluster_name": cluster,
        "namespace_name": namespace,
        "pod_name": pod,
        "container_name": "media-server",
    }
    return {
        "logName": f"projects/{project}/logs/stdout",
        "insertId": f"i{number}",
        "timestamp": f"2025-07-27T11:26:{number % 60:02d}Z",
        "resource": {
            "type": "k8s_container",
            "labels": {name: text for name, text in labels.items() if text},
        },
        "textPayload": "hello",
        **other,
    }


def read(*entries: dict[str, Any]) -> pl.DataFrame:
    return to_frame([LogRecord(one) for one in entries], load_catalogue())


def pods_of(*places: Where) -> list[str]:
    """What the pods of entries are called, one entry of each place."""
    return join_frames([read(*(entry(n, where) for n, where in enumerate(places)))])["pod"].to_list()


@pytest.mark.parametrize(
    ("there", "names"),
    [
        (HERE, ["media-server-0", "media-server-0"]),
        (("q", "eu", "voice", "prod"), ["p/media-server-0", "q/media-server-0"]),
        (("p", "eu", "chat", "prod"), ["voice/media-server-0", "chat/media-server-0"]),
        (("p", "us", "voice", "prod"), ["eu/media-server-0", "us/media-server-0"]),
        (("p", "eu", "voice", "test"), ["prod/media-server-0", "test/media-server-0"]),
        (("q", "us", "chat", "test"), ["p/media-server-0", "q/media-server-0"]),
        (("p", "us", "chat", "test"), ["voice/media-server-0", "chat/media-server-0"]),
    ],
)
def test_a_name_gets_before_it_what_tells_it_from_its_namesake(there: Where, names: list[str]) -> None:
    """And no more than that."""
    assert pods_of(HERE, there) == names


def test_three_namesakes_are_three() -> None:
    """Two of them in one project, two in one cluster."""
    assert pods_of(HERE, ("q", "eu", "voice", "prod"), ("q", "eu", "chat", "prod")) == [
        "p/voice/media-server-0",
        "q/voice/media-server-0",
        "q/chat/media-server-0",
    ]


def test_a_pod_without_a_namesake_keeps_its_name() -> None:
    """Two clusters alone change nothing, nor do references: an insert ID tells which entry is meant."""
    there: Where = ("p", "us", "chat", "prod")
    joined = join_frames(
        [read(entry(1, HERE), entry(2, there), entry(3, there, "tts-7d9f"), entry(4, there, ""))]
    )

    assert joined["pod"].to_list() == ["voice/media-server-0", "chat/media-server-0", "tts-7d9f", ""]
    assert [ref.partition("@")[0] for ref in joined["ref"]] == [
        "media-server-0", "media-server-0", "tts-7d9f", "media-server",
    ]  # fmt: skip


def test_what_does_not_say_where_it_runs_is_no_third_pod_of_a_place() -> None:
    """A file's lines have a pod and no cluster: they are not given one."""
    bare = entry(3, HERE)
    del bare["resource"]["labels"]["cluster_name"]

    assert join_frames([read(entry(1, HERE), bare)])["pod"].to_list() == ["media-server-0"] * 2
    assert join_frames([read(entry(1, HERE), entry(2, ("p", "eu", "chat", "prod")), bare)])["pod"].to_list() == [
        "voice/media-server-0", "chat/media-server-0", "media-server-0",
    ]  # fmt: skip


def test_batches_are_told_apart_however_they_are_put_together() -> None:
    """One after the other, in pairs, again and in any order: the names are those of all at once."""
    places = (HERE, ("p", "eu", "chat", "prod"), ("q", "eu", "voice", "prod"), ("p", "us", "voice", "prod"))
    parts = [read(entry(n, where)) for n, where in enumerate(places)]
    whole = join_frames(parts).select("pod", "ref", "insert_id")

    for first, *others in permutations(parts):
        joined = first
        for other in others:
            joined = join_frames([joined, other])
        assert join_frames([joined]).select("pod", "ref", "insert_id").equals(whole)


def test_what_is_left_of_one_cluster_is_as_it_always_was() -> None:
    """A name keeps nothing of a namesake that was put aside."""
    there: Where = ("p", "us", "chat", "test")
    both = join_frames([read(entry(1, HERE), entry(2, there))])

    left = join_frames([both.filter(pl.col("insert_id") == "i1")])

    assert left.equals(join_frames([read(entry(1, HERE))]))


@pytest.mark.parametrize("odd", ["a/b/c/d/e", "/", "", ["x"], {"a": 1}, None, 5])
def test_labels_may_be_anything(odd: Any) -> None:
    """Whoever writes entries writes their labels, too."""
    strange = entry(2, HERE)
    strange["resource"]["labels"] |= dict.fromkeys(("location", "cluster_name", "namespace_name"), odd)
    joined = join_frames([read(entry(1, HERE), strange)])

    assert joined.height == 2
    assert join_frames([joined]).equals(joined)
