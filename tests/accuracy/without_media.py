"""Sessions of other shapes: over the socket alone, and over gRPC."""

from __future__ import annotations

from tests.accuracy.comings import come_back, pass_gateway
from tests.accuracy.identifiers import mint_grpc
from tests.accuracy.losses import Plan
from tests.accuracy.story import Story
from tests.accuracy.truth import GRPC, NEVER_SENT, REMINTED, SESSION_INFO, Loss
from tests.accuracy.turns import tell_socket_audio
from tests.accuracy.websocket import announce, announce_nothing, close_socket, open_socket, start_listening
from tests.accuracy.whip import close_media, listen, open_media, stop_listening


def tell_socket_session(story: Story, plan: Plan) -> None:
    """Era C: the audio comes over the socket, there is no media half."""
    client = story.session.client
    story.socket = client
    story.own(client)
    pass_gateway(story)
    open_socket(story)
    announced = announce_nothing(story) if plan.hop else announce(story)
    if not plan.hop:
        start_listening(story)
    for number in range(1, story.rng.randint(2, 4)):
        story.wait(2000, 7000)
        if number > 1 and not plan.hop:
            come_back(story)
        story.session.turns.append(tell_socket_audio(story, client))
    story.wait(300, 4000)
    close_socket(story)
    if plan.hop:
        story.session.loss = Loss(SESSION_INFO, NEVER_SENT, client, story.socket, (announced,))


def tell_grpc_session(story: Story) -> None:
    """The media server streams to the orchestrator over gRPC, whose side mints an ID of its own."""
    client = story.session.client
    story.media = story.listen = client
    story.own(client)
    pass_gateway(story)
    open_media(story)
    listen(story)
    story.wait(30, 300)
    sid = mint_grpc(story.rng, story.pods["orchestrator"].clock(story.now))
    story.say("orchestrator", "New gRPC audio stream started")
    created = story.say("orchestrator", "Created session for gRPC stream", session=sid, traced=True)
    story.say("orchestrator", "Created new session", session=sid)
    story.say("orchestrator", "Received control message", session=sid, controlType="START_LISTENING")
    story.say("orchestrator", "Starting pipeline session", session=sid)
    story.wait(4000, 20000)
    story.say("orchestrator", "gRPC audio stream ended", session=sid, traced=True)
    story.say("orchestrator", "Removed session", session=sid)
    stop_listening(story)
    close_media(story)
    story.session.loss = Loss(GRPC, REMINTED, client, sid, (created,))
