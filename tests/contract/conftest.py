"""Servers that the contracts are tested against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from pipeline.local.control_plane.control_plane import ControlPlane
from tests.contract.control_plane import READY_S
from tests.contract.kubelet import Node, run_node
from tests.contract.logging_server import Server, run_server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """`serve(**switches)`: a Cloud Logging server that is stopped after the test."""
    with ExitStack() as running:
        yield lambda *args, **kwargs: running.enter_context(run_server(*args, **kwargs))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ControlPlane]:
    """One control plane for all tests that ask for it. They share its node, and name their own objects."""
    async with ControlPlane(tmp_path_factory.mktemp("control-plane"), ready_s=READY_S) as plane:
        yield plane


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def node(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    """The node of `control_plane`, with a kubelet that runs what is bound to it."""
    async with run_node(control_plane, tmp_path_factory.mktemp("node")) as node:
        yield node
