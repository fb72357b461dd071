from __future__ import annotations

import json
import re

import pytest

from pipeline.local.control_plane import access
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.control_plane.network import PODS, SERVICES, Subnet
from pipeline.local.control_plane.programs import BUILD_COMMAND, PROGRAMS, Programs
from pipeline.local.errors import StackError


@pytest.fixture
def plane(tmp_path):
    """`plane(ready_s, **scripts)`: one whose programs are shell scripts; without one it sleeps."""

    def make(ready_s=10.0, **scripts):
        folder = tmp_path / "programs" / "bin"
        folder.mkdir(parents=True)
        for program in PROGRAMS:
            path = folder / program
            path.write_text(f"#!/bin/sh\n{scripts.get(program.replace('-', '_'), 'exec sleep 60')}\n")
            path.chmod(0o755)
        plane = ControlPlane(tmp_path / "plane", ready_s=ready_s)
        plane.programs = Programs(folder.parent)
        return plane

    return make


async def test_a_program_that_ends_is_named_with_its_last_words(plane, is_alive):
    """What keeps a control plane from starting is one line, and nothing of it is left."""
    broken = plane(kube_apiserver="echo 'no such flag: --x' >&2; exit 1")

    with pytest.raises(StackError, match=r"^kube-apiserver ended while it started: no such flag: --x$"):
        await broken.__aenter__()

    assert len(broken.daemons) == 2
    assert not any(is_alive(daemon.pid) for daemon in broken.daemons.values())


async def test_a_program_that_is_too_slow_is_named(plane, is_alive):
    """The wait for the API server has an end."""
    slow = plane(ready_s=0.3, kube_apiserver="echo thinking; exec sleep 60")

    with pytest.raises(StackError, match=r"^kube-apiserver is not ready after 0.3 s"):
        await slow.__aenter__()

    assert not any(is_alive(daemon.pid) for daemon in slow.daemons.values())


async def test_what_is_not_built_is_told_with_its_command(plane, tmp_path):
    """A start never builds: it says at once which command does."""
    unbuilt = plane()
    unbuilt.programs = Programs(tmp_path / "nothing")

    with pytest.raises(StackError, match=f"get it: {BUILD_COMMAND}$"):
        await unbuilt.__aenter__()


def test_users_have_a_token_each_and_a_context_as_gcloud_names_it(tmp_path):
    """Project, location and cluster can be read off the context; no token stands twice."""
    tokens = access.make_tokens(access.USERS, tmp_path / "tokens.csv")
    access.write_kubeconfigs(tmp_path / "users", "https://127.0.0.1:1", tmp_path / "ca.crt", tokens)

    config = json.loads(access.kubeconfig_path(tmp_path / "users", access.VIEWER).read_text())
    assert config["current-context"] == "gke_voice-agent-local_local_voice-agent"
    assert config["users"][0]["user"]["token"] == tokens[access.VIEWER]
    assert len(set(tokens.values())) == len(access.USERS)
    assert tokens[access.OUTSIDER] in (tmp_path / "tokens.csv").read_text()


@pytest.mark.parametrize("network", [SERVICES, PODS])
def test_two_clusters_have_different_subnets(network):
    """All clusters of a machine share its loopback addresses, so none has another's subnet."""
    subnets = [Subnet(network) for _ in range(3)]
    try:
        assert len({subnet.cidr for subnet in subnets}) == 3
        assert all(re.fullmatch(rf"{network}\.\d+\.0/24", subnet.cidr) for subnet in subnets)
    finally:
        for subnet in subnets:
            subnet.close()
