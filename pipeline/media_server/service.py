"""The media server's HTTP side: WHIP (RFC 9725) and the life of its sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from pipeline.media_server.replies import ReplyDesk
from pipeline.media_server.session import LONGEST_END_S, CallerSession, Ending
from pipeline.media_server.settings import Settings
from pipeline.media_server.whip import (
    SDP_TYPE,
    SessionChoice,
    check_content_type,
    check_offer,
    choose_session_id,
)
from pipeline.wire.background import Background
from pipeline.wire.browsers import allow_pages
from pipeline.wire.correlation import SESSION_HEADER, read_header
from pipeline.wire.kafka import KafkaPublisher, Publisher
from pipeline.wire.kafka_consumer import KafkaConsumer
from pipeline.wire.log_lines import BoundLog, Log
from pipeline.wire.loopback_ice import expire_consent_after, gather_where
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.records import AUDIO_IN, AUDIO_OUT
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes, on_drain
from pipeline.wire.tracing import TRACEPARENT, parse_traceparent
from pipeline.wire.waiting import read_body

_OFFER_BYTES = 64 * 1024
_MOST_SESSIONS = 200
_RETRY_AFTER_S = "5"


class WhipEndpoint:
    """The sessions of this server and the three requests that make and end them."""

    def __init__(self, publisher: Publisher, replies: ReplyDesk, metrics: SessionMetrics, log: Log) -> None:
        self._publisher = publisher
        self._replies = replies
        self._metrics = metrics
        self._log = log
        # None while the offer is being answered: the ID is taken from the first moment
        self._sessions: dict[str, CallerSession | None] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._draining = False
        metrics.active.set_function(lambda: len(self._sessions))

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The IDs in use."""
        return tuple(self._sessions)

    async def create(self, request: web.Request) -> web.Response:
        """POST: answer an offer, 201."""
        trace = parse_traceparent(request.headers.get(TRACEPARENT))
        log = self._log.bind(trace)
        log.write("whip-request")
        check_content_type(request.content_type)
        offer = await _read_offer(request)
        check_offer(offer)
        self._refuse_while_draining()
        if len(self._sessions) >= _MOST_SESSIONS:
            raise RequestRefusedError(
                503, "the server has as many sessions as it takes", headers={"Retry-After": _RETRY_AFTER_S}
            )
        choice = choose_session_id(read_header(request.headers, SESSION_HEADER), self._sessions)
        self._note_choice(log, choice)
        self._sessions[choice.session_id] = None
        session = CallerSession(choice.session_id, trace, self._publisher, self._replies, self._log)
        try:
            answer = await session.answer(offer)
            self._refuse_while_draining()  # it may have begun meanwhile: nobody would end this session
        except BaseException:
            await session.abandon()
            del self._sessions[choice.session_id]
            raise
        self._sessions[choice.session_id] = session
        self._running[choice.session_id] = asyncio.create_task(self._run(session))
        headers = {"Location": f"/whip/{choice.session_id}", SESSION_HEADER: choice.session_id}
        # as bytes: of a text aiohttp would name a charset, which this type does not have (RFC 8866)
        return web.Response(status=201, body=answer.encode(), content_type=SDP_TYPE, headers=headers)

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE: end a session, 200 once nothing is left of it."""
        session = self._sessions.get(request.match_info["session_id"])
        if session is None:
            raise RequestRefusedError(404, "no such session")
        session.close(Ending.DELETED)
        await asyncio.wait({self._running[session.session_id]})
        return web.Response()

    async def options(self, _request: web.Request) -> web.Response:
        """OPTIONS of the endpoint: which content type to post."""
        return web.Response(headers={"Accept-Post": SDP_TYPE, "Allow": "OPTIONS, POST"})

    async def session_options(self, _request: web.Request) -> web.Response:
        """OPTIONS of a session: it can be deleted, and no more."""
        return web.Response(headers={"Allow": "DELETE, OPTIONS"})

    async def patch(self, _request: web.Request) -> web.Response:
        """PATCH of a session: 501, as RFC 9725 asks where it has no use at all."""
        raise RequestRefusedError(501, "neither Trickle ICE nor ICE restarts are supported")

    async def drain(self, limit_s: float = LONGEST_END_S) -> None:
        """Take no more sessions, and end those that are here, at most `limit_s` long.

        What their callers have said until now is published: it is answered by text, and by voice where the
        caller has come back under the same ID to another replica by then.
        """
        self._draining = True
        for session in self._sessions.values():
            if session is not None:
                session.close(Ending.SHUTDOWN)
        if self._running:
            await asyncio.wait(self._running.values(), timeout=limit_s)

    async def _run(self, session: CallerSession) -> None:
        try:
            with self._metrics.duration.time():
                await session.run()
        finally:
            del self._sessions[session.session_id]
            del self._running[session.session_id]

    def _refuse_while_draining(self) -> None:
        if self._draining:
            raise RequestRefusedError(503, "the server is about to stop")

    def _note_choice(self, log: BoundLog, choice: SessionChoice) -> None:
        if choice.from_header:
            self._metrics.from_header.inc()
            log.write("whip-session-header", session_id=choice.session_id)
            return
        self._metrics.minted.inc()
        if choice.refused is not None:
            self._metrics.headers_invalid.inc()
        log.write(
            "whip-session-minted",
            session_id=choice.session_id,
            refused=choice.refused,
            reason=choice.reason,
        )


async def _read_offer(request: web.Request) -> str:
    body = await read_body(request)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestRefusedError(400, "the offer is not text") from error


def build_app(
    whip: WhipEndpoint, probes: Probes, metrics: SessionMetrics, log: Log, page_origin: str | None = None
) -> web.Application:
    """The application around `whip`; what it needs of Kafka is not its matter."""
    app = web.Application(
        middlewares=[
            # PATCH, so that a page hears that it has no use, and not that its browser forbids it
            allow_pages(("POST", "DELETE", "OPTIONS", "PATCH"), ("Location", SESSION_HEADER), page_origin),
            refuse_in_one_shape(log),
        ],
        client_max_size=_OFFER_BYTES,
    )
    app.router.add_post("/whip", whip.create)
    app.router.add_options("/whip", whip.options)
    app.router.add_delete("/whip/{session_id}", whip.delete)
    app.router.add_options("/whip/{session_id}", whip.session_options)
    app.router.add_patch("/whip/{session_id}", whip.patch)
    add_probes(app, probes)
    add_metrics(app, metrics)
    on_drain(app, whip.drain, LONGEST_END_S)
    return app


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole media server: the application and its tasks around Kafka."""
    metrics = SessionMetrics()
    gather_where(settings.listen)
    expire_consent_after(settings.client_lost_s)
    publisher = KafkaPublisher(settings.kafka, log)
    replies = ReplyDesk(log)
    consumer = KafkaConsumer(settings.kafka, publisher, AUDIO_OUT, settings.reply_group, replies)
    background = Background()

    async def keep_kafka(_app: web.Application) -> AsyncIterator[None]:
        background.start(publisher.run(), "Kafka connection")
        background.start(consumer.run(), "consumer of replies")
        yield
        await background.stop()

    probes = Probes(
        ready={
            "kafka": lambda: publisher.connected,
            "audio-in": lambda: not publisher.connected or AUDIO_IN in publisher.topics,
            "reply-consumer": lambda: consumer.joined,
        },
        alive={"background-tasks": background.alive},
    )
    whip = WhipEndpoint(publisher, replies, metrics, log)
    app = build_app(whip, probes, metrics, log, settings.page_origin)
    app.cleanup_ctx.append(keep_kafka)
    return app
