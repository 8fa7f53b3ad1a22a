// Shows a response: its status, some headers, and the server's error descriptions (OSDI's errors.md).

import { isObject, linkOf } from "./hal_document.js";
import { element } from "./hal_dom.js";
import { anchor, json } from "./hal_view.js";

const MAX_TEXT_LENGTH = 20_000;
const HINTS = {
  401: "Enter a token in the field at the top of the page.",
  405: "This address does not accept this method.",
  412: "The resource has changed since it was loaded here. Load the address again, then send your change again.",
};

/** Returns the status line, such as "404 NOT FOUND", with the headers. */
export function statusLine(response) {
  const status = response.status ? `${response.status} ${response.reason}` : response.reason;
  const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`);
  return element(
    "p",
    { class: response.ok ? "status good" : "status bad" },
    element("strong", {}, status),
    ...headers.map((line) => element("code", {}, line)),
  );
}

/** Returns the server's error descriptions and a hint; nothing for a successful request. */
export function errorView(response) {
  if (response.ok || !response.status) return [];
  const sentences = descriptions(response.body);
  const summary = typeof response.body?.error === "string" && !sentences.length ? response.body.error : null;
  return [
    summary ? element("p", {}, summary) : null,
    sentences.length ? element("ul", {}, ...sentences.map((line) => element("li", {}, line))) : null,
    HINTS[response.status] ? element("p", {}, HINTS[response.status]) : null,
  ];
}

/** Returns the view of a response to a write: status, errors, a link to the written resource, the body. */
export function responseView(response, url) {
  const self = response.ok ? linkOf(response.body, "self") : null;
  return [
    element("h3", {}, "Response"),
    statusLine(response),
    ...errorView(response),
    self ? element("p", {}, "Open ", anchor(self.href, url)) : null,
    bodyView(response),
  ];
}

/** Returns the body as JSON, or as plain text. */
export function bodyView(response) {
  if (response.body !== undefined) return json(response.body);
  return response.text ? element("pre", { tabindex: "0" }, response.text.slice(0, MAX_TEXT_LENGTH)) : null;
}

/** Returns a sentence for each error description: "birthdate.month: Not a whole number. Hint." */
function descriptions(body) {
  const statuses = [body?.["osdi:error"]?.resource_status ?? []].flat().filter(isObject);
  return statuses
    .flatMap((status) => [status.error_descriptions ?? []].flat())
    .filter(isObject)
    .map(({ properties, description, hint }) => {
      const where = [properties ?? []].flat().join(", ");
      return [where ? `${where}:` : "", description, hint].filter((part) => typeof part === "string" && part).join(" ");
    });
}
