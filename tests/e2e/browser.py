"""A real Chromium that hears a sentence as its microphone, again and again."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, Route, expect, sync_playwright

from tests.e2e.conftest import eventually, run

SENTENCE = "what are your opening hours"
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox",  # tests may run as root
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
)
# The page keeps its peer connection to itself: what it received is asked of the browser here.
_KEEP_PEERS = """
    window.peers = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.peers.push(this); }
    };
"""
_ENERGY = """async () => {
    const reports = await Promise.all(window.peers.map((peer) => peer.getStats()));
    const inbound = reports.flatMap((report) => [...report.values()]).filter((one) => one.type === "inbound-rtp");
    return inbound.reduce((sum, one) => sum + (one.totalAudioEnergy ?? 0), 0);
}"""

# Silence has no energy at all; a reply has this much within its first words.
_SOUND = 0.001


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """A browser whose microphone is `SENTENCE`, with silence around it, every 16 seconds."""
    microphone = folder / "caller.wav"
    _write_microphone(folder / "sentence.wav", microphone)
    with sync_playwright() as playwright:
        flags = [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def _write_microphone(sentence: Path, target: Path) -> None:
    run("flite", "-voice", "rms", "-t", SENTENCE, "-o", str(sentence), cwd=sentence.parent)
    with wave.open(str(sentence)) as spoken, wave.open(str(target), "wb") as microphone:
        rate, pcm = spoken.getframerate(), spoken.readframes(spoken.getnframes())
        microphone.setparams(spoken.getparams())
        before, period = bytes(2 * rate * 3), 2 * rate * 16
        microphone.writeframes((before + pcm).ljust(period, b"\0"))


@dataclass(frozen=True)
class CallPage:
    """The page, as a person uses it."""

    page: Page

    @classmethod
    def open(cls, browser: Browser, url: str) -> CallPage:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(_KEEP_PEERS)
        page.goto(url)
        return cls(page)

    def call(self) -> Response:
        """Press Call; WHIP's answer."""
        with self.page.expect_response(
            lambda response: response.url.endswith("/whip") and response.request.method == "POST"
        ) as answer:
            self.page.get_by_role("button", name="Call").click()
        return answer.value

    def hang_up(self) -> None:
        self.page.get_by_role("button", name="Hang up").click()
        self.says("#status", "The call is over")

    def says(self, where: str, what: str) -> None:
        """Wait until it stands there."""
        expect(self.page.locator(where)).to_contain_text(what)

    def answers(self, count: int) -> None:
        """Wait for so many turns with a reply."""
        expect(self.page.locator("li .agent").nth(count - 1)).to_be_visible()

    def hears(self) -> None:
        """Wait until sound has been received; asked from here, since the page's own wait takes any promise for true."""
        eventually(lambda: self.page.evaluate(_ENERGY) > _SOUND, PATIENCE_MS / 1000)

    @property
    def session_id(self) -> str:
        return self.page.locator("#session-id").inner_text()


def refuse(route: Route, status: int, error: str) -> None:
    """Answer as a media server that takes no call; the browser's preflight is let through."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "content-type, x-session-id, traceparent",
    }
    preflight = route.request.method == "OPTIONS"
    route.fulfill(
        status=204 if preflight else status, headers=headers, json=None if preflight else {"error": error}
    )
