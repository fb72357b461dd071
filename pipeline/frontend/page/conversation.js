// What was heard and what was answered, turn by turn. All text is put in as text, never as markup.

/** The list of turns on the page. */
export class Conversation {
  #list;
  #empty;
  #turns = new Map();

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  clear() {
    this.#turns.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Take what the orchestrator sent; whether it was about a turn. */
  take({ event, turn_id: turnId, text, error }) {
    if (typeof turnId !== "string") return false;
    if (event === "final_transcript") this.#say(turnId, "you", "You", text);
    else if (event === "llm_response_text") this.#say(turnId, "agent", "Agent", text);
    else if (event === "turn_interrupted") this.#interrupt(turnId);
    else if (event === "turn_empty") this.#say(turnId, "none", "Agent", "I heard no words. If you spoke, say it again.");
    else if (event === "turn_failed") this.#fail(turnId, error);
    else return false;
    return true;
  }

  #say(turnId, who, name, text) {
    if (typeof text !== "string") return;
    const turn = this.#turns.get(turnId) ?? this.#begin(turnId);
    const line = document.createElement("p");
    line.className = who;
    line.append(make("b", name), make("span", text));
    turn.append(line);
    line.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  #begin(turnId) {
    const turn = document.createElement("li");
    turn.dataset.turn = turnId;
    this.#turns.set(turnId, turn);
    this.#list.append(turn);
    this.#empty.hidden = true;
    return turn;
  }

  /** A reply that was written already was only not spoken. */
  #fail(turnId, error) {
    const written = this.#turns.get(turnId)?.querySelector(".agent");
    const reason = typeof error === "string" ? error : "nobody says why";
    this.#say(turnId, "none", written ? "Not spoken" : "No answer", `${capitalise(reason)}.`);
  }

  #interrupt(turnId) {
    const reply = this.#turns.get(turnId)?.querySelector(".agent");
    if (!reply || reply.classList.contains("interrupted")) return;
    reply.classList.add("interrupted");
    reply.append(make("small", "you spoke over this"));
  }
}

function capitalise(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function make(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
