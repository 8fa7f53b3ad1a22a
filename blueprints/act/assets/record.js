// Records outreaches from an organisation's own page, by the Record Outreach Helper of this server (OSDI 1.2.0).
//
//   import { recordOutreach } from "https://outreach.example.org/act/record.js";
//   await recordOutreach(campaignId, { person: { email_addresses: [{ address: email }] }, type: "email", message });

const HELPER = (campaign) => new URL(`../api/v1/advocacy_campaigns/${encodeURIComponent(campaign)}/record_outreach_helper`, import.meta.url);
const PAUSES_MS = [1000, 3000];
const MAX_PAUSE_MS = 10_000;

/** Base class of the errors of this module. The outreach was not acknowledged. */
export class OutreachError extends Error {
  constructor(message, { status = 0, descriptions = [], requestId = null, idempotencyKey, retryAfter = null, cause } = {}) {
    super(message, { cause });
    this.name = new.target.name;
    /** HTTP status; 0 if no response came. */
    this.status = status;
    /** OSDI's `error_descriptions`: `{error_code, description, properties, hint}`. */
    this.descriptions = descriptions;
    /** The id by which the server's log can be searched. */
    this.requestId = requestId;
    /** Send the same outreach again with this key: it is recorded once. */
    this.idempotencyKey = idempotencyKey;
    /** Seconds after which the server accepts another request, or null. */
    this.retryAfter = retryAfter;
  }
}

/** The server cannot accept this outreach as it is (400, 413, 422). `descriptions` name the properties. */
export class InvalidOutreach extends OutreachError {}
/** The campaign takes no outreaches from this page (401, 403, 404, 410). */
export class NotAllowed extends OutreachError {}
/** Too many requests came from this network (429). `retryAfter` says when to try again. */
export class TooManyRequests extends OutreachError {}
/** The server or the network failed (status 0, 5xx). The outreach may be recorded; a retry records it once. */
export class Unavailable extends OutreachError {}

/** Returns a new key by which the server recognises a repeated outreach. */
export function newIdempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Records an outreach and resolves to the server's response, which is `{}` for a page.
 *
 * A request without a response, and one to which the server responds with 5xx, is sent again, `retries` times at most. All of
 * them have one Idempotency-Key, so the outreach is recorded once. After a rejection, pass `error.idempotencyKey` to
 * try again. In `development` each field that the server would ignore is written to the console.
 *
 * Rejects with InvalidOutreach, NotAllowed, TooManyRequests or Unavailable.
 */
export async function recordOutreach(campaign, outreach, options = {}) {
  const { idempotencyKey = newIdempotencyKey(), timeout = 20_000, retries = PAUSES_MS.length, development = false } = options;
  const request = { address: HELPER(campaign), body: JSON.stringify(outreach), idempotencyKey, timeout };
  if (development) {
    try {
      return await post({ ...request, strict: true });
    } catch (error) {
      if (!(error instanceof InvalidOutreach)) throw error;
      for (const { description, properties = [] } of error.descriptions) {
        console.warn(`record.js: ${properties.join(", ") || "outreach"}: ${description}`);
      }
    }
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await post(request);
    } catch (error) {
      if (!(error instanceof Unavailable) || attempt >= retries) throw error;
      const wanted = error.retryAfter === null ? 0 : error.retryAfter * 1000;
      const pause = Math.max(wanted, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]);
      if (pause > MAX_PAUSE_MS) throw error;
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
}

async function post({ address, body, idempotencyKey, timeout, strict = false }) {
  const headers = { "Idempotency-Key": idempotencyKey };
  if (strict) headers.Prefer = "handling=strict";
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout);
  try {
    const response = await fetch(address, { method: "POST", body, headers, credentials: "omit", signal: stop.signal });
    const content = await response.json().catch(() => ({}));
    if (response.ok) return content;
    throw errorOf(response, content, idempotencyKey);
  } catch (error) {
    if (error instanceof OutreachError) throw error;
    throw new Unavailable("The server did not respond.", { idempotencyKey, cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function errorOf(response, content, idempotencyKey) {
  const { status, headers } = response;
  const descriptions = content["osdi:error"]?.resource_status?.[0]?.error_descriptions ?? [];
  const seconds = Number.parseInt(headers.get("Retry-After") ?? "", 10);
  const details = {
    status, descriptions, idempotencyKey, requestId: headers.get("OSDI-Request-ID"),
    retryAfter: Number.isNaN(seconds) ? null : seconds,
  };
  const message = content.error ?? `The server responded with ${status}.`;
  if (status === 429) return new TooManyRequests(message, details);
  if (status >= 500) return new Unavailable(message, details);
  if ([401, 403, 404, 410].includes(status)) return new NotAllowed(message, details);
  return new InvalidOutreach(message, details);
}

// Short names of controls, which are also those of a plain HTML form, and the paths that they stand for.
const PATHS = {
  "person.email_address": "person.email_addresses.0.address",
  "person.phone_number": "person.phone_numbers.0.number",
  "person.street_address": "person.postal_addresses.0.address_lines",
  "person.locality": "person.postal_addresses.0.locality",
  "person.postal_code": "person.postal_addresses.0.postal_code",
  "person.country": "person.postal_addresses.0.country",
  source: "referrer_data.source",
  referrer: "referrer_data.referrer",
  website: "referrer_data.website",
};
const ARRAYS = ["add_tags", "add_lists", "address_lines", "identifiers"];
const ANSWER = "answers.";

/**
 * Returns the outreach that a form describes. Names of controls are the short ones of a plain HTML form, such as
 * `person.email_address` and `answers.{question}`, or paths of the outreach, such as `person.gender` and `message`.
 * Several controls named `add_tags` make an array. Empty controls are left out.
 */
export function outreachOf(form) {
  const outreach = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string" || value.trim() === "") continue;
    if (name.startsWith(ANSWER)) addAnswer(outreach, name.slice(ANSWER.length), value);
    else put(outreach, (Object.hasOwn(PATHS, name) ? PATHS[name] : name).split("."), value);
  }
  return outreach;
}

function addAnswer(outreach, question, value) {
  const answers = (outreach.add_questions_responses_uri ??= []);
  const known = answers.find((each) => each.question === question);
  if (known) known.responses.push(value);
  else answers.push({ question, responses: [value] });
}

function put(target, [first, ...rest], value) {
  if (first in Object.prototype) return;
  if (rest.length > 0) {
    if (typeof target[first] !== "object") target[first] = /^\d+$/.test(rest[0]) ? [] : {};
    put(target[first], rest, value);
  } else if (ARRAYS.includes(first)) {
    (target[first] ??= []).push(value);
  } else {
    target[first] = value;
  }
}

/**
 * Returns the `referrer_data` of a visit to this page: `source` or `utm_source` of its address, the origin of the site
 * that led to it, and its own address. Other parts of addresses are left out, since they can contain personal data.
 */
export function referrerData() {
  const sources = new URLSearchParams([...new URLSearchParams(location.search)].filter(isSource));
  const path = /@|%40/.test(location.pathname) ? "/" : location.pathname;
  const data = { website: location.origin, url: `${location.origin}${path}${sources.size ? `?${sources}` : ""}` };
  const source = sources.get("source") || sources.get("utm_source");
  const referrer = document.referrer && new URL(document.referrer).origin;
  if (source) data.source = source;
  if (referrer && referrer !== location.origin) data.referrer = referrer;
  return data;
}

function isSource([name, value]) {
  return value !== "" && (name === "source" || name.startsWith("utm_"));
}

const keys = new WeakMap();

/**
 * Records the outreach that a form describes, once: a second call before the first has ended returns its promise, and a
 * call after an error sends the same key again as long as the form is unchanged. Its `referrer_data` is that of the
 * visit, unless controls of the form have other values.
 */
export function recordForm(campaign, form, options = {}) {
  const outreach = outreachOf(form);
  outreach.referrer_data = { ...referrerData(), ...outreach.referrer_data };
  const body = JSON.stringify(outreach);
  let known = keys.get(form);
  if (known?.body !== body) known = { body, idempotencyKey: newIdempotencyKey(), promise: null };
  keys.set(form, known);
  known.promise ??= recordOutreach(campaign, outreach, { ...options, idempotencyKey: known.idempotencyKey })
    .then((response) => {
      keys.delete(form);
      return response;
    })
    .catch((error) => {
      known.promise = null;
      throw error;
    });
  return known.promise;
}
