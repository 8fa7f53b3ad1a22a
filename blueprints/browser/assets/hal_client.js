// Sends requests to the API. The token is sent in a header, and only to the API: `send` rejects URLs that `insideApi`
// rejects, and does not follow redirects.

import { insideApi } from "./hal_address.js";

const TIMEOUT_MS = 30_000;
export const SHOWN_HEADERS = ["ETag", "Retry-After", "Location"];

/**
 * Sends a request and returns the answer: {ok, status, reason, headers, body, text}. Never throws. `body` is the parsed
 * JSON, or undefined. Status 0 means that there was no answer; `reason` says why.
 */
export async function send(method, url, { token, body, ifMatch } = {}) {
  if (!insideApi(url)) return failed("This address is not part of the API.");
  const headers = { Accept: "application/hal+json" };
  if (token) headers["OSDI-API-Token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (ifMatch) headers["If-Match"] = ifMatch;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error("The server took too long.")), TIMEOUT_MS);
  try {
    const options = { method, headers, body, signal: timeout.signal, cache: "no-store" };
    return await answerOf(await fetch(url, { ...options, credentials: "omit", redirect: "error" }));
  } catch (error) {
    return failed(`The server did not answer. ${error.message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the answer for a response. */
async function answerOf(response) {
  const text = await response.text();
  const shown = SHOWN_HEADERS.map((name) => [name, response.headers.get(name)]).filter(([, value]) => value !== null);
  return {
    ok: response.ok,
    status: response.status,
    reason: response.statusText,
    headers: Object.fromEntries(shown),
    text,
    body: parsed(text),
  };
}

/** Returns the answer for a failed request. */
function failed(reason) {
  return { ok: false, status: 0, reason, headers: {}, text: "", body: undefined };
}

/** Returns the parsed JSON of a text, or undefined. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
