// The IDs that this page mints, with the browser's cryptographic source.

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARACTERS = 9;
// The largest multiple of 36 in a byte: beyond it some characters would come more often than others.
const UNBIASED = 252;

/** A session ID as browsers mint it: milliseconds since the epoch and nine of `[0-9a-z]`. */
export function mintSessionId() {
  return `session_${Date.now()}_${randomText(RANDOM_CHARACTERS)}`;
}

/** A new W3C trace as a `traceparent` header; all that comes of one call is in it. */
export function startTrace() {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

function randomText(length) {
  let text = "";
  while (text.length < length) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < UNBIASED) text += ALPHABET[byte % ALPHABET.length];
  }
  return text;
}

function randomHex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
