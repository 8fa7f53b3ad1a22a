// Sends requests to the API. The token travels in a header and to the API only: `send` takes nothing but what
// `insideApi` let pass, and redirects are not followed.

import { insideApi } from "./hal_address.js";

const PATIENCE_MS = 30_000;
export const SHOWN_HEADERS = ["ETag", "Retry-After", "Location"];

/**
 * Sends a request and returns the answer, which is never an exception: {ok, status, reason, headers, body, text}.
 * `body` is the parsed JSON, undefined where there is none; status 0 means that no answer came, for the `reason`.
 */
export async function send(method, url, { token, body, ifMatch } = {}) {
  if (!insideApi(url)) return failed("This address is not part of the API.");
  const headers = { Accept: "application/hal+json" };
  if (token) headers["OSDI-API-Token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (ifMatch) headers["If-Match"] = ifMatch;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(new Error("It took too long.")), PATIENCE_MS);
  try {
    const options = { method, headers, body, signal: patience.signal, cache: "no-store" };
    return await answerOf(await fetch(url, { ...options, credentials: "omit", redirect: "error" }));
  } catch (error) {
    return failed(`No answer came. ${error.message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** What the server answered. */
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

/** An answer that stands for none. */
function failed(reason) {
  return { ok: false, status: 0, reason, headers: {}, text: "", body: undefined };
}

/** The JSON in a text, or undefined. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
