"""How a caller comes, and comes back: the page, the socket that drops, the media that is set up anew."""

from __future__ import annotations

from tests.accuracy.story import Story
from tests.accuracy.truth import Line
from tests.accuracy.websocket import announce, close_socket, open_socket
from tests.accuracy.whip import close_media, listen, open_media

_SOCKET_DROPS = 0.12
_MEDIA_DROPS = 0.06


def pass_gateway(story: Story) -> list[Line]:
    """The page is served by a gateway that knows the client's own ID; only where traces are passed on."""
    if not story.trace or story.rng.random() < 0.3:
        return []
    sid = story.session.client
    line = story.say("frontend-gateway", "Session page served", session=sid, path="/call", traced=True)
    story.wait(20, 300)
    return [line]


def come_back(story: Story) -> None:
    """Between turns, something may have dropped."""
    chance = story.rng.random()
    if chance < _SOCKET_DROPS and "shared socket" not in story.session.traits:
        _reconnect(story)
    elif chance > 1 - _MEDIA_DROPS and story.media:
        story.session.traits.add("media set up again")
        close_media(story)
        story.wait(300, 2500)
        open_media(story)
        if not story.fixed:
            listen(story)


def _reconnect(story: Story) -> None:
    """The socket drops; the client comes back, perhaps to another replica."""
    close_socket(story)
    story.session.traits.add("reconnect")
    story.wait(400, 3000)
    if story.rng.random() < 0.4:
        story.pods["orchestrator"] = story.cluster.pick(story.rng, "orchestrator", story.session.era)
        story.session.traits.add("reconnect to another pod")
    open_socket(story)
    announce(story)
