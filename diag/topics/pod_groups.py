"""Pods that each read a whole topic: as many consumer groups, of one reader.

A group shares the records of a topic out among its members. Where every replica must see every
record, each pod is a group of its own, and names it after itself: ``media-server-group.<pod>``. For
whoever asks whether the topic is read, they are one reader: they are joined to the group that the
name begins with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from diag.model.topics import BrokerFacts, GroupFacts

_STABLE = "Stable"
# <group>.<deployment>-<template hash>-<suffix>, the alphabet of k8s.io/apimachinery, util/rand
_OF_A_POD = re.compile(
    r"(?P<group>.+)\.[a-z0-9-]+-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
)


def join_pod_groups(broker: BrokerFacts) -> BrokerFacts:
    """`broker` with the groups of single pods joined to the one that they stand for."""
    pods: dict[str, list[GroupFacts]] = {}
    others: dict[str, GroupFacts] = {}
    for name, group in broker.groups.items():
        match = _OF_A_POD.fullmatch(name)
        if match is None:
            others[name] = group
        else:
            pods.setdefault(match["group"], []).append(group)
    for name, groups in pods.items():
        others[name] = _join(name, [*groups, *([others[name]] if name in others else [])])
    return replace(broker, groups=others)


def _join(name: str, groups: Sequence[GroupFacts]) -> GroupFacts:
    """One group of all: a pod that is gone is no reader any more, and what it left unread is no lag."""
    live = [group for group in groups if group.members or not group.members_known]
    return GroupFacts(
        name=name,
        state=next((group.state for group in live if group.state != _STABLE), (live or groups)[0].state),
        members=tuple(member for group in live for member in group.members),
        members_known=all(group.members_known for group in live),
        committed=_join_commits(live or groups, behind=bool(live)),
        commits_known=all(group.commits_known for group in live or groups),
    )


def _join_commits(groups: Sequence[GroupFacts], *, behind: bool) -> dict[str, dict[int, int]]:
    """The commits of the one that is furthest behind; of pods that are all gone, of the last one."""
    choose = min if behind else max
    joined: dict[str, dict[int, int]] = {}
    for group in groups:
        for topic, commits in group.committed.items():
            known = joined.setdefault(topic, {})
            for partition, offset in commits.items():
                known[partition] = choose(known.get(partition, offset), offset)
    return joined
