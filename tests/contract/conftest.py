"""Servers that the contracts are tested against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.logging_server import Server, run_server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """`serve(**switches)`: a Cloud Logging server that is stopped after the test."""
    with ExitStack() as running:
        yield lambda *args, **kwargs: running.enter_context(run_server(*args, **kwargs))
