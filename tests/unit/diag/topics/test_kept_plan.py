"""A plan that is kept in a file: bound to its cluster, applied as it was, and refused where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diag.app.topics import keep_plan
from diag.config import load_saved_plan
from diag.errors import SettingsError, UsageError
from diag.model.topics import BrokerFacts, Reader, SavedPlan, TopicFacts, TopicPlan, TopicState, WantedTopic
from diag.model.topics import Path as TopicPath
from diag.render.topic_plan_v1 import render_saved_plan
from diag.topics import build_kept_plan, build_plan, find_misfits

WANTED = (
    WantedTopic("audio-in", TopicPath.AUDIO, 3, 2, {"retention.ms": "5"}, ("media",), (Reader("g", "s"),)),
    WantedTopic("stt", TopicPath.LOGGING, 1),
)


def broker(*names: str, cluster: str = "c") -> BrokerFacts:
    return BrokerFacts(cluster, 0, {name: TopicFacts(name, {0: (0, 0)}) for name in names}, {})


def kept(tmp_path: Path, plan: TopicPlan) -> SavedPlan:
    file = tmp_path / "plan.json"
    file.write_text(render_saved_plan(keep_plan(plan)))
    return load_saved_plan(str(file))


def test_what_is_kept_is_what_was_planned(tmp_path: Path) -> None:
    """Every setting of every missing topic, and nothing of those that are there."""
    saved = kept(tmp_path, build_plan(WANTED, broker("stt")))

    assert (saved.cluster_id, saved.create) == ("c", WANTED[:1])
    again = build_kept_plan(saved, broker("stt", "other"))
    assert again.to_create == WANTED[:1]
    assert [row.state for row in again.rows] == [TopicState.MISSING]


def test_it_fits_its_own_cluster_as_it_was_and_no_other(tmp_path: Path) -> None:
    """Another cluster, or a topic that somebody has made since: the reasons are told."""
    saved = kept(tmp_path, build_plan(WANTED, broker()))

    assert find_misfits(saved, broker("other")) == ()
    assert find_misfits(saved, broker("stt", "audio-in")) == (
        "audio-in is there by now",
        "stt is there by now",
    )
    (told,) = find_misfits(saved, broker("stt", cluster="d"))
    assert told == "it was made for cluster c, and this one is d"


def test_a_plan_that_would_fit_every_cluster_is_not_kept() -> None:
    """Where the broker does not name its own."""
    with pytest.raises(UsageError, match="does not name its cluster"):
        keep_plan(build_plan(WANTED, broker(cluster="")))


GOOD: dict[str, Any] = {"plan_version": 1, "cluster_id": "c", "create": [{"name": "a", "partitions": 1}]}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no plan of topics"),
        ("[" * 100_000, "no plan of topics"),
        ("[]", "no plan of topics"),
        (json.dumps({**GOOD, "delete": ["a"]}), "no plan of topics"),
        (json.dumps({**GOOD, "plan_version": 2}), "another version"),
        (json.dumps({**GOOD, "cluster_id": ""}), "names no cluster"),
        (json.dumps({**GOOD, "create": {"name": "a"}}), "must be a list"),
        (json.dumps({**GOOD, "create": ["a"]}), "must be a list"),
        (json.dumps({**GOOD, "create": [{"name": "a", "partitions": 0}]}), "topic 1: missing or malformed"),
        (json.dumps({**GOOD, "create": [{"nmae": "a"}]}), "unknown key nmae"),
        (json.dumps({**GOOD, "create": GOOD["create"] * 2}), "a topic twice"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_as_a_whole(tmp_path: Path, text: str, why: str) -> None:
    """Nothing of it is carried out."""
    file = tmp_path / "plan.json"
    file.write_text(text)

    with pytest.raises(SettingsError, match=why):
        load_saved_plan(str(file))
    assert load_saved_plan(write_good(tmp_path)).create[0].name == "a"


def write_good(tmp_path: Path) -> str:
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    return str(tmp_path / "good.json")
