// The page's elements and what they show.

const MEDIA = {
  new: ["off", "off"],
  connecting: ["busy", "connecting"],
  connected: ["on", "connected"],
  disconnected: ["busy", "unsteady, trying to hold on"],
  failed: ["bad", "lost"],
  closed: ["off", "off"],
};
const SOCKET = {
  connecting: ["busy", "connecting"],
  connected: ["on", "connected"],
  reconnecting: ["busy", "reconnecting"],
  taken: ["bad", "another page has this session"],
  closed: ["off", "off"],
};

const find = (id) => document.getElementById(id);

export const elements = {
  call: find("call"),
  copy: find("copy"),
  reply: find("reply"),
  turns: find("turns"),
  empty: find("empty"),
};

export function showStep(text) {
  find("status").textContent = text;
}

/** `phase`: idle, busy (it is being connected) or live. */
export function showPhase(phase) {
  document.body.dataset.phase = phase;
  elements.call.textContent = phase === "idle" ? "Call" : "Hang up";
}

export function isLive() {
  return document.body.dataset.phase === "live";
}

export function showMedia(state) {
  setChip(find("media"), MEDIA[state] ?? ["busy", state]);
}

export function showSocket({ state, attempt }) {
  const [look, words] = SOCKET[state];
  setChip(find("socket"), [look, attempt > 1 ? `${words}, attempt ${attempt}` : words]);
}

export function showSession(sessionId) {
  find("session").hidden = false;
  find("session-id").textContent = sessionId;
  find("session-hint").textContent = sessionId;
}

/** A line that is read out at once; null takes it away. */
export function showProblem(text) {
  find("problem").hidden = text === null;
  find("problem").textContent = text ?? "";
}

/** How loud the caller or the agent is, 0 to 1. */
export function showLevel(who, level) {
  find("orb").style.setProperty(`--${who}`, level.toFixed(2));
}

/** Put the session ID on the clipboard, or select it where the browser does not let a page do that. */
export async function copySessionId() {
  const code = find("session-id");
  try {
    await navigator.clipboard.writeText(code.textContent);
    elements.copy.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    elements.copy.textContent = "Selected";
  }
  setTimeout(() => (elements.copy.textContent = "Copy"), 2_000);
}

function setChip(element, [look, words]) {
  element.dataset.state = look;
  element.textContent = words;
}
