// Puts the page together: the button makes a call, the call tells the page what to show.

import { Call } from "./call.js";
import { loadConfig } from "./config.js";
import { Conversation } from "./conversation.js";
import { LevelMeter } from "./media.js";
import { Problem, toWords } from "./problems.js";
import * as view from "./view.js";

const conversation = new Conversation(view.elements.turns, view.elements.empty);
let call = null;
let meters = [];
let deaf = false;
let audio = "new";
let text = "connecting";

view.elements.call.addEventListener("click", () => (call ? call.end() : begin()));
view.elements.copy.addEventListener("click", view.copySessionId);
window.addEventListener("pagehide", () => call?.end());
window.addEventListener("online", () => call?.hurry());
view.showPhase("idle");

async function begin() {
  [deaf, audio, text] = [false, "new", "connecting"];
  view.showProblem(null);
  view.showPhase("busy");
  view.showStep("Looking for the services");
  conversation.clear();
  const begun = (call = new Call()); // from now on the button ends this one
  follow(begun);
  const config = await loadConfig().catch(() => null);
  if (config) begun.start(config);
  else begun.end(new Problem("The page's own server does not answer. Is the stack still up?"));
}

function follow(current) {
  const on = (name, show) => current.addEventListener(name, ({ detail }) => show(detail));
  on("step", view.showStep);
  on("media", (state) => {
    audio = state;
    view.showMedia(state);
    if (state === "connected") view.showPhase("live");
    showCourse();
  });
  on("socket", (change) => {
    text = change.state;
    view.showSocket(change);
    showCourse();
  });
  on("session", showSession);
  on("microphone", (stream) => measure(stream, "caller"));
  on("reply", (stream) => {
    view.elements.reply.srcObject = stream;
    measure(stream, "agent");
  });
  on("message", take);
  on("end", ({ problem }) => finish(problem));
}

function showSession({ sessionId, asked }) {
  view.showSession(sessionId);
  if (sessionId !== asked) {
    view.showProblem("The media server did not take this page's session ID and gave it another one.");
  }
}

/** How the call stands, once audio has flowed: the caller is to speak only where somebody listens. */
function showCourse() {
  if (!view.isLive()) return;
  if (audio !== "connected") view.showStep("The line is unsteady. One moment");
  else if (text === "connecting") view.showStep("Connecting");
  else if (text === "taken") view.showStep("Another page has taken the call over");
  else if (text === "reconnecting") view.showStep("The agent is away. Reconnecting");
  else view.showStep(deaf ? "One moment" : "Connected. Speak any time");
}

function take(message) {
  if (conversation.take(message)) return;
  if (message.event === "hearing") {
    showHearing(message.able !== false);
  } else if (message.event === "session_confirmed") {
    showHearing(message.hearing !== false);
  } else if (message.event === "error") {
    view.showProblem(`The orchestrator did not understand the page: ${message.error}.`);
  }
}

/** While nothing arrives there is no turn that could fail; the call itself goes on. */
function showHearing(able) {
  if (able !== deaf) return;
  deaf = !able;
  view.showProblem(deaf ? "The agent cannot hear you just now. The call goes on as soon as it can." : null);
  showCourse();
}

function measure(stream, who) {
  meters.push(new LevelMeter(stream, (level) => view.showLevel(who, level)));
}

function finish(problem) {
  const wasLive = view.isLive();
  call = null;
  meters.forEach((meter) => meter.stop());
  meters = [];
  view.elements.reply.srcObject = null;
  view.showLevel("caller", 0);
  view.showLevel("agent", 0);
  view.showMedia("closed");
  view.showSocket({ state: "closed", attempt: 0 });
  view.showPhase("idle");
  showHearing(true); // it was of this call alone
  if (problem) view.showStep(wasLive ? "The call has ended" : "The call could not be made");
  else view.showStep("The call is over");
  if (problem) view.showProblem(toWords(problem));
}
