"""The orchestrator: its sockets, its consumer of audio-in, its turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from pipeline.orchestrator.caller_side import CallerSide
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.delivery import ReplyDelivery, TextDelivery
from pipeline.orchestrator.desk import TurnDesk
from pipeline.orchestrator.hearing import Hearing
from pipeline.orchestrator.intake import AudioIntake
from pipeline.orchestrator.journal import TurnJournal
from pipeline.orchestrator.memory import Memory, NoKeeper
from pipeline.orchestrator.replicas import ReplicaLink
from pipeline.orchestrator.settings import Settings
from pipeline.orchestrator.sockets import ClientSockets
from pipeline.orchestrator.stage_log import StageLogWriter
from pipeline.orchestrator.stages import HttpStages
from pipeline.orchestrator.store import StateStore
from pipeline.orchestrator.turn import TurnConductor
from pipeline.orchestrator.whereabouts import SILENT_S
from pipeline.wire.background import Background
from pipeline.wire.browsers import refuse_foreign_pages
from pipeline.wire.kafka import KafkaPublisher
from pipeline.wire.kafka_consumer import KafkaConsumer
from pipeline.wire.kafka_follower import KafkaFollower
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.progress import Progress
from pipeline.wire.records import AUDIO_IN, ORCHESTRATOR_GROUP, SESSION_EVENTS
from pipeline.wire.refusals import refuse_in_one_shape
from pipeline.wire.serving import Probes, Step, add_probes, on_drain
from pipeline.wire.tracing import parse_traceparent

_EXPIRE_EVERY_S = 5.0
_LOOK_EVERY_S = 0.5
# The drain, step by step
_TURNS_S = 1.9
_STAGE_LOG_S = 0.3
_SOCKETS_S = 0.5
_WORDS_S = 0.3


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


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """Its parts, joined; `build_service` puts them under an application."""

    publisher: KafkaPublisher
    stage_log: StageLogWriter
    client: aiohttp.ClientSession
    store: StateStore | None
    link: ReplicaLink
    follower: KafkaFollower
    callers: Callers
    sockets: ClientSockets
    desk: TurnDesk
    intake: AudioIntake
    consumer: KafkaConsumer
    hearing: Hearing

    def probes(self, background: Background) -> Probes:
        """What readiness and life depend on."""
        return Probes(
            ready={
                "kafka": lambda: self.publisher.connected,
                "audio-consumer": lambda: self.hearing.able,
                "other-replicas": lambda: self.follower.settled,
            },
            alive={"background-tasks": background.alive},
        )

    def start(self, background: Background) -> None:
        """Begin everything that runs as long as the process."""
        background.start(self.publisher.run(), "Kafka connection")
        background.start(self.stage_log.run(), "stage log")
        background.start(self.link.run(), "words to other replicas")
        background.start(self.follower.run(), "words of other replicas")
        background.start(self.consumer.run(), "consumer of audio")
        background.start(self._expire_now_and_then(), "idle utterances")
        background.start(self._watch_hearing(), "whether speech arrives")

    def drain(self) -> tuple[tuple[Step, float], ...]:
        """Take nothing new; the running turns finish and are committed; then the callers are told."""
        return (
            (self._finish_turns, _TURNS_S),
            (self.stage_log.flush, _STAGE_LOG_S),
            (self.sockets.shut_down, _SOCKETS_S),
            (self.link.flush, _WORDS_S),
        )

    async def _finish_turns(self, limit_s: float) -> None:
        self.sockets.refuse_new()
        self.consumer.rest()
        await self.desk.drain(limit_s)

    async def close(self) -> None:
        """Let go of what is held outside this process."""
        await self.link.stop()
        await self.client.close()
        if self.store is not None:
            self.store.close()

    async def _watch_hearing(self) -> None:
        """A caller of whom nothing arrives has no turn that could fail, and hears of it in this way alone."""
        while True:
            able = self.hearing.judge(
                connected=self.publisher.connected,
                topic_there=AUDIO_IN in self.publisher.topics,
                joined=self.consumer.joined,
                assignments=self.consumer.assignments,
            )
            await self.sockets.tell_hearing(able=able)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _expire_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRE_EVERY_S)
            self.intake.expire()
            if self.follower.settled:  # before, nothing but a part of the callers is known
                self.callers.expire()
            if self.store is not None:
                self.store.prune(self.callers.knows)


def build_orchestrator(settings: Settings, metrics: SessionMetrics, log: Log) -> Orchestrator:
    """The parts of one orchestrator, with what the process before it has remembered."""
    kafka, replica = settings.kafka, settings.kafka.client_id
    store = None if settings.state is None else StateStore(settings.state, log)
    memory, keeper = (store.load(), store) if store else (Memory(), NoKeeper())
    publisher, progress = KafkaPublisher(kafka, log), Progress()
    stage_log, link = StageLogWriter(publisher, log), ReplicaLink(replica, publisher, log)
    callers = Callers(replica, link.announce, keeper, memory)
    sockets = ClientSockets(callers, metrics, log)
    texts = TextDelivery(callers, sockets, link, metrics, log)
    link.connect(callers, texts, sockets.lose)
    delivery = ReplyDelivery(texts, callers, publisher, metrics=metrics, log=log)
    client = aiohttp.ClientSession()
    stages = HttpStages(client, settings.stages)
    conductor = TurnConductor(
        stages, delivery, stage_log.put, callers.conversations, metrics=metrics, log=log
    )
    journal = TurnJournal(keeper.keep_turn, memory.turns)
    desk = TurnDesk(conductor.run, delivery.send_failure, journal, progress, log)
    intake = AudioIntake(CallerSide(desk, texts.notify, metrics, log), progress, log)
    _note_recovery(memory, log)
    return Orchestrator(
        publisher=publisher,
        stage_log=stage_log,
        client=client,
        store=store,
        link=link,
        follower=KafkaFollower(kafka, publisher, SESSION_EVENTS, link, reach_s=SILENT_S),
        callers=callers,
        sockets=sockets,
        desk=desk,
        intake=intake,
        consumer=KafkaConsumer(kafka, publisher, AUDIO_IN, ORCHESTRATOR_GROUP, intake, progress=progress),
        hearing=Hearing(),
    )


def _note_recovery(memory: Memory, log: Log) -> None:
    for session in memory.sessions:
        log.bind(parse_traceparent(session.traceparent)).write(
            "session-recovered", session_id=session.session_id, connection_id=session.connection_id
        )


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole orchestrator. It serves its sockets also while Kafka is away."""
    background, metrics = Background(), SessionMetrics()
    orchestrator = build_orchestrator(settings, metrics, log)

    async def run_tasks(_app: web.Application) -> AsyncIterator[None]:
        orchestrator.start(background)
        yield
        await background.stop()
        await orchestrator.close()

    app = build_app(orchestrator.sockets, orchestrator.probes(background), metrics, log, settings.page_origin)
    app.cleanup_ctx.append(run_tasks)
    for step, limit_s in orchestrator.drain():
        on_drain(app, step, limit_s)
    return app
