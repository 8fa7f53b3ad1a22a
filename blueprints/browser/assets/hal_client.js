// Sends requests to the API. The token is sent in a header, and only to the API: `send` rejects URLs that `insideApi`
// rejects, and does not follow redirects.

import { insideApi } from "./hal_address.js";

const TIMEOUT_MS = 30_000;
export const SHOWN_HEADERS = ["ETag", "Retry-After", "Location"];

/**
 * Sends a request and returns the response: {ok, status, reason, headers, body, text}. Never throws. `body` is the parsed
 * JSON, or undefined. Status 0 means that there was no response; `reason` says why.
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
    return await responseOf(await fetch(url, { ...options, credentials: "omit", redirect: "error" }));
  } catch (error) {
    return failed(`The server did not respond. ${error.message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the response that fetch got, in the form above. */
async function responseOf(fetched) {
  const text = await fetched.text();
  const shown = SHOWN_HEADERS.map((name) => [name, fetched.headers.get(name)]).filter(([, value]) => value !== null);
  return {
    ok: fetched.ok,
    status: fetched.status,
    reason: fetched.statusText,
    headers: Object.fromEntries(shown),
    text,
    body: parsed(text),
  };
}

/** Returns the response of a failed request, in the form above. */
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
