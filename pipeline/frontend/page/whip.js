// WHIP (RFC 9725): one POST with the offer makes the session, one DELETE ends it.

import { Problem, describeRefusal } from "./problems.js";

const SDP = "application/sdp";
const SESSION_HEADER = "X-Session-ID";

/**
 * Post `offer`; the media server may give the session another ID than the one that is asked for.
 * @returns {Promise<{answer: string, sessionId: string, resource: string}>}
 */
export async function postOffer(url, offer, sessionId, traceparent) {
  const headers = { "Content-Type": SDP, [SESSION_HEADER]: sessionId, traceparent };
  const response = await fetch(url, { method: "POST", headers, body: offer }).catch(() => {
    throw new Problem(`The media server cannot be reached at ${new URL(url).origin}.`);
  });
  if (response.status !== 201) throw await describeRefusal(response);
  return {
    answer: await response.text(),
    sessionId: response.headers.get(SESSION_HEADER) ?? sessionId,
    resource: new URL(response.headers.get("Location"), url).href,
  };
}

/** End the session. It goes out even while the page is being left; a server that is gone has none to end. */
export async function deleteSession(resource) {
  await fetch(resource, { method: "DELETE", keepalive: true }).catch(() => {});
}
