// Where the services are: the page's server knows it, the page asks.

/** @returns {Promise<{whip: string, socket: string}>} the URLs of the WHIP endpoint and of the WebSocket. */
export async function loadConfig() {
  const response = await fetch("config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: status ${response.status}`);
  const { whip_url: whip, ws_url: socket } = await response.json();
  return { whip, socket };
}
