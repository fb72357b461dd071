"""The media server from outside: WHIP's answers, a real call, and nothing left after it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from multidict import CIMultiDict

from pipeline.media_server.session import CallerSession
from pipeline.wire.identifiers import check_session_id, mint_session_id
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import TRACE_KEY
from pipeline.wire.records import ReplyAudio, read_audio_chunk
from pipeline.wire.tracing import start_trace

# what stands in the log once and only once about each end of a session, in this order but for the track
ENDING = ["reply-consumer-stopped", "connection-closed", "connection-cleaned"]


def _reply(session_id: str, pcm: bytes) -> ConsumedRecord:
    reply = ReplyAudio(session_id, "turn_0a1b2c3d", pcm)
    return ConsumedRecord("audio-out", 0, 0, session_id.encode(), pcm, reply.to_headers())


def _assert_ended(server, session_id: str) -> None:
    """One line of each kind, no row, no task."""
    lines = server.lines
    names = [name for name in lines.names() if name in {*ENDING, "track-closed"}]
    states = [line["state"] for line in lines.named("connection-state")]
    tasks = [task for task in asyncio.all_tasks() if session_id in task.get_name()]

    assert [name for name in names if name != "track-closed"] == ENDING
    assert names.count("track-closed") == 1
    assert states.count("closed") == 1
    assert server.whip.session_ids == ()
    assert tasks == []


_JUNK = ("", "0", "-1", "9" * 20, "\x00", "x" * 3000, "a=", "::::", "/", "=;=", "\u2028", "opus/0/2", "1e9")


async def test_options_tell_what_may_be_posted(server) -> None:
    """Before a page may post, its browser asks; whose page it is, one that has a token sends that, too."""
    response = await server.client.options("/whip", headers={"Origin": "http://localhost:5173"})

    assert response.status == 200
    assert response.headers["Accept-Post"] == "application/sdp"
    assert set(response.headers["Access-Control-Allow-Headers"].split(", ")) == {
        *("Authorization", "Content-Type", "If-Match", "X-Session-ID", "traceparent"),
    }
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"


@pytest.mark.parametrize(
    "case",
    [
        ("POST", "/whip", "v=0", "text/plain", 415),
        ("POST", "/whip", "v=0", "application/sdp", 400),
        ("POST", "/whip", b"\xff\xfe", "application/sdp", 400),
        ("POST", "/whip", "x" * 70_000, "application/sdp", 413),
        ("GET", "/whip", "", "application/sdp", 405),
        ("PUT", "/whip/session_1", "", "application/sdp", 405),
        ("PATCH", "/whip/session_1", "", "application/sdp", 501),
        ("DELETE", "/whip/session_1", "", "application/sdp", 404),
    ],
)
async def test_a_refusal_is_answered_and_logged(server, case: tuple[str, str, str | bytes, str, int]) -> None:
    """With CORS headers, so that the page can read it; and no session comes of it."""
    method, path, body, content_type, status = case
    headers = {"Content-Type": content_type, "Origin": "http://127.0.0.1:5173"}
    response = await server.client.request(method, path, data=body, headers=headers)

    assert response.status == status
    assert response.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:5173"
    assert server.lines.one("request-refused")["status"] == status
    assert server.whip.session_ids == ()


async def test_an_offer_that_only_the_peer_connection_refuses_leaves_nothing(server) -> None:
    """The ID is free again, the half-made connection closed."""
    caller, session_id = await server.new_caller(), mint_session_id()
    response = await server.post(caller.offer.replace("a=rtcp-mux\r\n", ""), **{"X-Session-ID": session_id})

    assert response.status == 400
    assert server.lines.one("request-refused")["session_id"] == session_id
    assert server.whip.session_ids == ()


async def test_a_call_from_offer_to_delete(server, tone, eventually) -> None:
    """Speech becomes records, a reply becomes sound, and DELETE leaves nothing behind."""
    trace, session_id, lines = start_trace(), mint_session_id(), server.lines
    headers = {"X-Session-ID": session_id, "traceparent": trace.to_header()}
    caller, response = await server.connect(**headers)
    assert response.headers["Location"] == f"/whip/{session_id}"
    assert response.headers["X-Session-ID"] == session_id
    assert response.headers["Access-Control-Expose-Headers"] == "Location, X-Session-ID"

    await caller.voice.play(tone(500))
    await eventually(lambda: lines.named("utterance-published"))
    chunks = [read_audio_chunk(r.key.encode(), r.value, r.headers) for r in server.publisher.records]
    published = lines.one("utterance-published")
    assert {chunk.session_id for chunk in chunks} == {session_id}
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert published["records"] == len(chunks)
    assert published["bytes"] == sum(len(chunk.pcm) for chunk in chunks)
    assert chunks[0].trace == trace

    server.replies.take(_reply(session_id, tone(300)))
    await eventually(lambda: lines.named("reply-played"))
    await eventually(lambda: max(caller.peaks) > 3000)

    deleted = await server.client.delete(response.headers["Location"])
    assert deleted.status == 200
    _assert_ended(server, session_id)
    assert {line.get(TRACE_KEY) for line in lines.all} == {trace.trace_id}
    assert [name for name in lines.names() if name.startswith(("whip", "speech", "connection-r"))] == [
        "whip-request",
        "whip-session-header",
        "whip-established",
        "connection-ready",
        "speech-started",
        "speech-ended",
    ]


async def test_a_caller_that_closes_is_noticed(server, eventually) -> None:
    """DTLS says so; no DELETE is needed, and it counts as no loss."""
    caller, response = await server.connect()
    await eventually(lambda: server.lines.named("connection-ready"))
    await caller.hang_up()
    await eventually(lambda: not server.whip.session_ids)

    _assert_ended(server, response.headers["X-Session-ID"])
    assert server.lines.named("connection-lost") == []


async def test_hanging_up_in_the_middle_of_a_word_ends_the_utterance(server, tone, eventually) -> None:
    """What was said until then is published, with its end."""
    lines, records = server.lines, server.publisher.records
    caller, _ = await server.connect()
    caller.voice.play(tone(5000))
    await eventually(lambda: len(records) >= 3)
    await caller.hang_up()
    await eventually(lambda: lines.named("connection-cleaned"))

    *audio, end = records
    assert lines.one("utterance-published")["records"] == len(audio)
    assert lines.names().index("utterance-published") < lines.names().index("connection-cleaned")
    assert dict(audio[-1].headers)["last"] == b"1"
    assert dict(end.headers)["session-end"] == b"closed by the client"


async def test_a_failed_publish_does_not_harm_the_session(server, tone, eventually) -> None:
    """Replies still reach the caller, and the next utterance is published."""
    lines = server.lines
    server.publisher.missing = UNKNOWN_TOPIC
    caller, response = await server.connect()
    await caller.voice.play(tone(400))
    await eventually(lambda: lines.named("publish-failed"))
    server.publisher.missing = None
    await caller.voice.play(tone(400))
    await eventually(lambda: lines.named("utterance-published"))
    server.replies.take(_reply(response.headers["X-Session-ID"], tone(200)))
    await eventually(lambda: lines.named("reply-played"))

    assert lines.one("publish-failed")["error"] == UNKNOWN_TOPIC
    assert lines.one("utterance-published")["utterance"] == 2


async def test_an_id_that_is_not_believed_is_replaced(server) -> None:
    """The answer names the new one, the line says what was refused and why."""
    _, response = await server.connect(**{"X-Session-ID": "undefined"})
    line = server.lines.one("whip-session-minted")

    assert check_session_id(response.headers["X-Session-ID"]) is None
    assert (line["session_id"], line["refused"]) == (response.headers["X-Session-ID"], "undefined")
    assert line["reason"]


async def test_of_two_ids_none_is_taken(server) -> None:
    """Nobody guesses which one is meant: both are told as refused, and a third one is minted."""
    caller, both = await server.new_caller(), [mint_session_id(), mint_session_id()]
    headers = CIMultiDict([("Content-Type", "application/sdp"), *(("X-Session-ID", one) for one in both)])
    response = await server.client.post("/whip", data=caller.offer, headers=headers)
    line = server.lines.one("whip-session-minted")

    assert response.status == 201
    assert response.headers["X-Session-ID"] == line["session_id"]
    assert line["session_id"] not in both
    assert line["refused"] == ", ".join(both)[:80]


async def test_an_id_in_use_is_a_conflict_and_harms_nobody(server) -> None:
    """The first caller's session goes on."""
    session_id = mint_session_id()
    await server.connect(**{"X-Session-ID": session_id})
    second = await server.new_caller()
    response = await server.post(second.offer, **{"X-Session-ID": session_id})

    assert response.status == 409
    assert server.whip.session_ids == (session_id,)
    assert server.lines.one("request-refused")["session_id"] == session_id


async def test_a_shutdown_ends_all_sessions(server) -> None:
    """Each in good order."""
    callers = [await server.connect() for _ in range(2)]
    await server.client.close()

    assert server.whip.session_ids == ()
    assert len(server.lines.named("connection-cleaned")) == len(callers)
    assert len(server.lines.named("track-closed")) == len(callers)


async def test_a_caller_who_speaks_over_a_reply_silences_it(server, tone, eventually) -> None:
    """The sound stops while the caller still speaks, and the orchestrator is told by the same utterance."""
    lines, turn = server.lines, "turn_0a1b2c3d"
    caller, response = await server.connect()
    await eventually(lambda: lines.named("reply-consumer-started"))
    server.replies.take(_reply(response.headers["X-Session-ID"], tone(20_000)))
    await eventually(lambda: max(caller.peaks, default=0) > 3000)
    speaking = caller.voice.play(tone(20_000))
    await eventually(lambda: lines.named("reply-stopped"))
    heard = len(caller.peaks)
    await eventually(lambda: len(caller.peaks) > heard + 20 and max(caller.peaks[-5:]) < 500)
    assert not speaking.done()
    caller.voice.fall_silent()
    await eventually(lambda: lines.named("utterance-published"))

    chunks = [read_audio_chunk(r.key.encode(), r.value, r.headers) for r in server.publisher.records]
    stopped = lines.one("reply-stopped")
    assert (stopped["turn_id"], stopped["utterance"]) == (turn, 1)
    assert stopped["played_ms"] < stopped["audio_ms"] == 20_000
    assert [chunk.interrupts for chunk in chunks if chunk.interrupts] == [(turn,)]
    assert {chunk.utterance for chunk in chunks} == {1}


async def test_a_short_noise_does_not_silence_a_reply(server, tone, eventually) -> None:
    """A tenth of a second is no word, though it may be an utterance."""
    lines = server.lines
    caller, response = await server.connect()
    await eventually(lambda: lines.named("reply-consumer-started"))
    server.replies.take(_reply(response.headers["X-Session-ID"], tone(2_000)))
    await eventually(lambda: max(caller.peaks, default=0) > 3000)
    await caller.voice.play(tone(100))
    await eventually(lambda: lines.named("reply-played"))

    assert lines.named("reply-stopped") == []


async def test_patch_is_not_implemented_and_a_session_says_what_it_takes(server) -> None:
    """As RFC 9725 asks of a server without Trickle ICE and restarts."""
    _, response = await server.connect()
    url = response.headers["Location"]
    options = await server.client.options(url)
    patched = await server.client.patch(url, data="", headers={"If-Match": "*"})
    put = await server.client.put("/whip", data="")

    assert (options.status, options.headers["Allow"]) == (200, "DELETE, OPTIONS")
    assert patched.status == 501
    assert (put.status, set(put.headers["Allow"].replace(" ", "").split(","))) == (405, {"OPTIONS", "POST"})


async def test_hostile_offers_are_refused_in_a_moment(server) -> None:
    """None is a fault of the server's, none takes long, none leaves a session or an ID behind."""
    offer, random = (await server.new_caller()).offer, Random(9725)
    candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
    hostile = [offer + candidate * 100, offer + candidate.replace(" 9 ", " 99999 ")]
    hostile.append(offer + "a=fmtp:7 of-no-codec=1\r\n")
    hostile += [_spoil(offer, random) for _ in range(150)]
    for sdp in hostile:
        async with asyncio.timeout(60):
            response = await server.post(sdp)
        assert response.status in {201, 400}, sdp
        if response.status == 201:
            assert (await server.client.delete(response.headers["Location"])).status == 200
    assert server.whip.session_ids == ()


def _spoil(offer: str, random: Random) -> str:
    """An offer with one to three of its lines lost, doubled, cut, swapped or filled with junk."""
    lines = offer.split("\r\n")
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        words = lines[at].split(" ")
        words[random.randrange(len(words))] = random.choice(_JUNK)
        name = lines[at].partition(":")[0]
        cut = lines[at][: random.randint(0, len(lines[at]))]
        other = random.choice(lines)
        lines[at : at + 1] = random.choice(
            [
                [],
                [lines[at], lines[at]],
                [cut],
                [other],
                [" ".join(words)],
                [f"{name}:{random.choice(_JUNK)}"],
            ]
        ) or [""]
    return "\r\n".join(lines)


async def test_a_server_that_is_about_to_stop_takes_no_session(server) -> None:
    """503, so that the caller tries the next replica."""
    await server.whip.drain()
    caller = await server.new_caller()
    response = await server.post(caller.offer)

    assert response.status == 503
    assert server.whip.session_ids == ()


async def test_an_offer_that_is_being_answered_when_the_end_begins_is_refused(server, monkeypatch) -> None:
    """It would be a session that nobody ends any more."""
    answer = CallerSession.answer

    async def answer_slowly(session: CallerSession, offer: str) -> str:
        text = await answer(session, offer)
        await server.whip.drain()
        return text

    monkeypatch.setattr(CallerSession, "answer", answer_slowly)
    response = await server.post((await server.new_caller()).offer)

    assert response.status == 503
    assert server.whip.session_ids == ()
