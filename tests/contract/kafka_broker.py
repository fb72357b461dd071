"""A real broker for one module's tests, with other properties than the stack's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.local import kafka
from pipeline.local.processes import base_environment
from pipeline.local.readiness import choose_ports

AUTHORISED = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""
"""It obeys access rules, as soon as there is one."""


def behind(address: str) -> Callable[[str], str]:
    """Properties of a broker whose clients come by another address, which leads to it."""
    own = "advertised.listeners=PLAINTEXT://{host}:{port}"
    return lambda properties: properties.replace(own, f"advertised.listeners=PLAINTEXT://{address}")


@asynccontextmanager
async def run_broker(
    folder: Path, change: Callable[[str], str], ports: kafka.KafkaPorts | None = None
) -> AsyncIterator[kafka.KafkaBroker]:
    """A broker that answers; `change` makes its properties of the stack's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka, "_PROPERTIES", change(kafka._PROPERTIES))
        broker = await kafka.KafkaBroker.start(
            folder / "kafka",
            ports or kafka.KafkaPorts(*choose_ports(2)),
            base_environment(folder),
            folder / "kafka.log",
        )
    try:
        await broker.wait_ready()
        yield broker
    finally:
        await broker.stop()
