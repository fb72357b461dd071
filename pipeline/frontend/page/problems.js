// What went wrong, in words for the person who calls.

/** An error whose message is meant to be read by the caller. */
export class Problem extends Error {}

const MICROPHONE = {
  NotAllowedError: "This page may not use the microphone. Allow it in the browser, then call again.",
  NotFoundError: "There is no microphone. Connect one, then call again.",
  NotReadableError: "The microphone does not work, or another program is using it.",
};

/** @param {DOMException} error from getUserMedia */
export function describeMicrophone(error) {
  return new Problem(MICROPHONE[error.name] ?? `The microphone cannot be used: ${error.message}`);
}

/** @param {Response} response a refusal of the media server, `{"error": ...}` */
export async function describeRefusal(response) {
  const body = await response.json().catch(() => ({}));
  const reason = typeof body.error === "string" ? body.error : `status ${response.status}`;
  if (response.status === 503) return new Problem(`The media server takes no calls now: ${reason}.`);
  return new Problem(`The media server refused the call: ${reason}.`);
}

/** @param {unknown} error anything that was thrown */
export function toWords(error) {
  return error instanceof Problem ? error.message : `The page made a mistake: ${error}`;
}
