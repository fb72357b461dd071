// The WebSocket of one session: bound to its ID, and bound to the same ID again whenever it is lost.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
const PING_EVERY_MS = 10_000;
const CONFIRMED_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;
const HUNG_UP = 1000;
const TAKEN_OVER = 4000;
const REMEMBERED = 64;

/**
 * Emits `state` ({state: "connecting" | "connected" | "reconnecting" | "taken" | "closed", seconds})
 * and `message` (what the orchestrator sent, as an object).
 */
export class SessionSocket extends EventTarget {
  #url;
  #info;
  #socket = null;
  #attempt = 0;
  #ended = false;
  #bound = false;
  #received = [];
  #timers = { retry: 0, ping: 0, answer: 0 };

  constructor(url, sessionId, traceparent) {
    super();
    this.#url = url;
    this.#info = { event: "session_info", session_id: sessionId, traceparent };
  }

  /** Connect, and stay connected until `close`. */
  open() {
    if (this.#ended) return;
    clearTimeout(this.#timers.retry);
    if (this.#attempt === 0) this.#tell("connecting");
    const socket = (this.#socket = new WebSocket(this.#url));
    this.#expectAnswer(socket, CONFIRMED_WITHIN_MS);
    socket.addEventListener("open", () => this.#send(this.#announce()));
    socket.addEventListener("message", (event) => this.#take(event.data));
    socket.addEventListener("close", (event) => this.#lose(socket, event.code));
  }

  /** The network is back: do not wait for the next attempt. */
  hurry() {
    if (this.#attempt > 0 && this.#socket === null) this.open();
  }

  close() {
    this.#ended = true;
    Object.values(this.#timers).forEach(clearTimeout);
    this.#socket?.close(HUNG_UP);
    this.#tell("closed");
  }

  /** Who comes back names the last message that came, so that what was missed can follow. */
  #announce() {
    return this.#bound ? { ...this.#info, last_message_id: this.#received.at(-1) ?? "" } : this.#info;
  }

  #isKnown(messageId) {
    if (messageId === undefined) return false;
    if (this.#received.includes(messageId)) return true;
    this.#received = [...this.#received, messageId].slice(-REMEMBERED);
    return false;
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #take(data) {
    clearTimeout(this.#timers.answer);
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not the orchestrator's language
    }
    if (this.#isKnown(message?.message_id)) return; // its turn was led again
    if (message?.event === "session_confirmed") {
      this.#attempt = 0;
      this.#bound = true;
      this.#tell("connected");
      this.#pingLater();
    }
    this.dispatchEvent(new CustomEvent("message", { detail: message ?? {} }));
  }

  /** A connection that is dead without saying so has no answer to a ping. */
  #pingLater() {
    clearTimeout(this.#timers.ping);
    this.#timers.ping = setTimeout(() => {
      const socket = this.#socket;
      this.#send({ event: "ping" });
      this.#expectAnswer(socket, ANSWER_WITHIN_MS);
      this.#pingLater();
    }, PING_EVERY_MS);
  }

  /** The browser alone would wait for minutes for a network that swallows everything. */
  #expectAnswer(socket, withinMs) {
    clearTimeout(this.#timers.answer);
    this.#timers.answer = setTimeout(() => this.#lose(socket, 1006), withinMs);
  }

  #lose(socket, code) {
    if (this.#ended || socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#timers.ping);
    clearTimeout(this.#timers.answer);
    socket.close();
    if (code === TAKEN_OVER) {
      this.#ended = true;
      this.#tell("taken");
      return;
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt) * (0.8 + 0.4 * Math.random());
    this.#attempt += 1;
    this.#tell("reconnecting");
    this.#timers.retry = setTimeout(() => this.open(), pause);
  }

  #tell(state) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, attempt: this.#attempt } }));
  }
}
