// One call from the microphone to the last word: both connections under one session ID.

import { mintSessionId, startTrace } from "./identifiers.js";
import { createOffer, newPeer, openMicrophone } from "./media.js";
import { Problem } from "./problems.js";
import { SessionSocket } from "./socket.js";
import { deleteSession, postOffer } from "./whip.js";

const CONNECT_MS = 10_000;
const UNPLUGGED = "The microphone is gone: it was unplugged, or its permission was taken back.";
const LOST = "The connection to the media server was lost.";

/**
 * Emits `step` (text), `session` ({sessionId, asked}), `media` (state), `socket` ({state, attempt}),
 * `microphone` and `reply` (a MediaStream each), `message` (the orchestrator's), and at last `end`
 * ({problem}: an Error, or null where the caller hung up).
 */
export class Call extends EventTarget {
  #config = null;
  #microphone = null;
  #peer = null;
  #socket = null;
  #resource = null;
  #ended = false;

  /** Call the services of `config`; whatever keeps it from being made ends it. */
  async start(config) {
    if (this.#ended) return;
    this.#config = config;
    try {
      this.#emit("step", "Asking for the microphone");
      const microphone = await openMicrophone();
      if (this.#ended) return microphone.getTracks().forEach((track) => track.stop());
      this.#microphone = microphone;
      microphone.getAudioTracks()[0].addEventListener("ended", () => this.end(new Problem(UNPLUGGED)));
      this.#emit("microphone", microphone);
      this.#emit("step", "Connecting");
      await this.#connect();
    } catch (error) {
      this.end(error);
    }
  }

  /** End the call on all sides, once. */
  end(problem = null) {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#resource) deleteSession(this.#resource);
    this.#socket?.close();
    this.#peer?.close();
    this.#microphone?.getTracks().forEach((track) => track.stop());
    this.#emit("end", { problem });
  }

  /** The network is back. */
  hurry() {
    this.#socket?.hurry();
  }

  async #connect() {
    const peer = (this.#peer = newPeer(this.#microphone));
    peer.addEventListener("track", ({ streams, track }) =>
      this.#emit("reply", streams[0] ?? new MediaStream([track])),
    );
    const connected = this.#watch(peer);
    const asked = mintSessionId();
    const traceparent = startTrace();
    const { answer, sessionId, resource } = await postOffer(
      this.#config.whip, await createOffer(peer), asked, traceparent,
    );
    this.#resource = resource;
    if (this.#ended) return deleteSession(resource);
    this.#emit("session", { sessionId, asked });
    this.#openSocket(sessionId, traceparent);
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    await connected;
  }

  /** Resolves when audio can flow; from then on a failure ends the call. */
  #watch(peer) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Problem("The media server answered, but no audio connection came about.")),
        CONNECT_MS,
      );
      peer.addEventListener("connectionstatechange", () => {
        this.#emit("media", peer.connectionState);
        if (peer.connectionState === "connected") resolve(clearTimeout(late));
        // "closed" is said only by the other side here: an own close is no event
        if (["failed", "closed"].includes(peer.connectionState)) this.end(new Problem(LOST));
      });
    });
  }

  #openSocket(sessionId, traceparent) {
    const socket = (this.#socket = new SessionSocket(this.#config.socket, sessionId, traceparent));
    socket.addEventListener("state", ({ detail }) => this.#emit("socket", detail));
    socket.addEventListener("message", ({ detail }) => this.#take(detail, sessionId));
    socket.open();
  }

  #take(message, sessionId) {
    if (message.event === "session_ended" && message.session_id === sessionId) {
      this.end(new Problem(`The call was ended: ${message.reason}.`));
    }
    this.#emit("message", message);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
