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

view.elements.call.addEventListener("click", () => (call ? call.end() : begin()));
view.elements.copy.addEventListener("click", view.copySessionId);
window.addEventListener("pagehide", () => call?.end());
window.addEventListener("online", () => call?.hurry());
view.showPhase("idle");

async function begin() {
  deaf = false;
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
    view.showMedia(state);
    if (state === "connected") view.showPhase("live");
  });
  on("socket", view.showSocket);
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
}

function measure(stream, who) {
  meters.push(new LevelMeter(stream, (level) => view.showLevel(who, level)));
}

function finish(problem) {
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
  view.showStep(problem ? "The call has ended" : "The call is over");
  if (problem) view.showProblem(toWords(problem));
}
