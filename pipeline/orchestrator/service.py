"""The orchestrator: its sockets, its consumer of audio-in, its turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from pipeline.orchestrator.caller_side import CallerSide
from pipeline.orchestrator.delivery import ReplyDelivery
from pipeline.orchestrator.intake import AudioIntake
from pipeline.orchestrator.lanes import TurnLanes
from pipeline.orchestrator.settings import Settings
from pipeline.orchestrator.sockets import ClientSockets
from pipeline.orchestrator.stage_log import StageLogWriter
from pipeline.orchestrator.stages import HttpStages
from pipeline.orchestrator.turn import TurnConductor
from pipeline.wire.background import Background, end_tasks
from pipeline.wire.browsers import refuse_foreign_pages
from pipeline.wire.kafka import KafkaPublisher
from pipeline.wire.kafka_consumer import KafkaConsumer
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.records import AUDIO_IN, ORCHESTRATOR_GROUP
from pipeline.wire.refusals import refuse_in_one_shape
from pipeline.wire.serving import DRAIN_S, Probes, add_probes

_EXPIRE_EVERY_S = 5.0
_FLUSH_S = 0.5


def build_app(
    sockets: ClientSockets,
    probes: Probes,
    metrics: SessionMetrics,
    log: Log,
    page_origin: str | None = None,
) -> web.Application:
    """The application with its socket and probes; what it needs of Kafka is not its matter."""
    app = web.Application(middlewares=[refuse_in_one_shape(log), refuse_foreign_pages(page_origin)])
    app.router.add_get("/ws", sockets.handle)
    add_probes(app, probes)
    add_metrics(app, metrics)
    return app


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole orchestrator. It serves its sockets also while Kafka is away."""
    background, metrics = Background(), SessionMetrics()
    sockets = ClientSockets(metrics, log)
    publisher = KafkaPublisher(settings.kafka, log)
    stage_log = StageLogWriter(publisher, log)
    client = aiohttp.ClientSession()
    conductor = TurnConductor(
        HttpStages(client, settings.stages),
        ReplyDelivery(sockets, publisher, metrics, log),
        stage_log.put,
        metrics,
        log,
    )
    lanes = TurnLanes(conductor.run)
    intake = AudioIntake(CallerSide(lanes, sockets, log), log)
    consumer = KafkaConsumer(settings.kafka, publisher, AUDIO_IN, ORCHESTRATOR_GROUP, intake)
    consuming: set[asyncio.Task[None]] = set()

    async def run_tasks(_app: web.Application) -> AsyncIterator[None]:
        background.start(publisher.run(), "Kafka connection")
        background.start(stage_log.run(), "stage log")
        background.start(_expire_now_and_then(intake), "idle utterances")
        consuming.add(background.start(consumer.run(), "consumer of audio"))
        yield
        await background.stop()
        await client.close()

    async def shut_down(_app: web.Application) -> None:
        """No new turn; the running ones finish; then the callers are told."""
        await asyncio.gather(end_tasks(consuming, DRAIN_S), lanes.drain(DRAIN_S))
        await stage_log.flush(_FLUSH_S)
        await sockets.shut_down()

    probes = Probes(
        ready={"kafka": lambda: publisher.connected, "audio-consumer": lambda: consumer.joined},
        alive={"background-tasks": background.alive},
    )
    app = build_app(sockets, probes, metrics, log, settings.page_origin)
    app.cleanup_ctx.append(run_tasks)
    app.on_shutdown.append(shut_down)
    return app


async def _expire_now_and_then(intake: AudioIntake) -> None:
    while True:
        await asyncio.sleep(_EXPIRE_EVERY_S)
        intake.expire()
