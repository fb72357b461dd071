"""``diag doctor`` and a real broker, one that obeys access rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from diag.app.doctor import DoctorRequest, examine
from diag.cli.exits import of_checkup
from diag.config import load_wanted_topics
from diag.model.checkup import Checkup, Health, TerminalFacts
from diag.model.settings import KafkaSettings
from diag.model.topics import Path as TopicPath
from diag.model.topics import WantedTopic
from diag.sources.kafka import create_topics, reach, read_broker
from tests.contract.kafka_broker import AUTHORISED, run_broker
from tests.contract.kafka_wire import DESCRIBE, EVERYTHING, allow

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    """With no topic of anybody's."""
    folder: Path = tmp_path_factory.mktemp("broker")
    async with run_broker(folder, lambda properties: properties + AUTHORISED) as running:
        yield KafkaSettings(running.bootstrap)


async def ask(broker: KafkaSettings) -> Checkup:
    """The doctor's answer, from a thread as it has no loop of its own."""
    flags = {"kafka.bootstrap": broker.bootstrap}
    request = DoctorRequest(flags, {}, None, TerminalFacts(None, "utf-8", False), 10**18)
    return await asyncio.to_thread(examine, request)


async def test_a_broker_is_told_with_its_cluster_and_what_may_be_seen(
    broker: KafkaSettings, workdir: Path
) -> None:
    """First without topics, then with those that are wanted, then with one that keeps its settings."""
    cluster_id = (await read_broker(broker, 0)).cluster_id
    empty = await ask(broker)

    assert empty.find("kafka").state is Health.OK
    assert empty.find("kafka").evidence == f"1 broker at {broker.bootstrap}, cluster {cluster_id}"
    assert empty.find("kafka-rights").state is Health.WARNING
    assert "none of the" in empty.find("kafka-rights").evidence
    assert "diag topics" in empty.find("kafka-rights").evidence
    assert of_checkup(empty) == 5

    wanted = load_wanted_topics()
    await create_topics(broker, wanted)
    whole = await ask(broker)
    assert whole.find("kafka-rights").state is Health.OK
    assert f"{len(wanted)} topics and 0 groups are listed" in whole.find("kafka-rights").evidence
    assert of_checkup(whole) == 0

    await create_topics(broker, [WantedTopic("sealed", TopicPath.AUDIO, 1)])
    await allow(broker.bootstrap, "sealed", DESCRIBE)
    sealed = (await ask(broker)).find("kafka-rights")
    await allow(broker.bootstrap, "sealed", EVERYTHING)
    assert sealed.state is Health.WARNING
    assert "the settings of sealed are not told" in sealed.evidence
    assert "DescribeConfigs" in sealed.remedy


async def test_a_broker_that_can_not_be_reached_by_its_own_name_is_told(
    broker: KafkaSettings, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bootstrap server answers, and nothing else works: the commonest trap of a tunnel."""

    async def nobody(*_: object) -> bool:
        return False

    monkeypatch.setattr(reach, "_answers", nobody)
    found = await ask(broker)

    assert found.find("kafka").state is Health.FAILED
    assert f"can not be reached by its own name: {broker.bootstrap}" in found.find("kafka").evidence
    assert "advertised" in found.find("kafka").remedy
    assert found.find("kafka-rights").state is Health.NOT_ASKED
