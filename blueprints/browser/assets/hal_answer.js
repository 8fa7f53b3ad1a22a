// Shows an answer's status, headers of interest, and what went wrong in words (OSDI's errors.md).

import { isObject, linkOf } from "./hal_document.js";
import { element } from "./hal_dom.js";
import { anchor, json } from "./hal_view.js";

const LONGEST_TEXT = 20_000;
const HINTS = {
  401: "Put a token into the field at the top of the page.",
  405: "This address does not take this method.",
  412: "Somebody changed it since it was read here. Load the address again, then send yours once more.",
};

/** The status as a number and a phrase: "404 NOT FOUND". */
export function statusLine(answer) {
  const said = answer.status ? `${answer.status} ${answer.reason}` : answer.reason;
  const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
  return element(
    "p",
    { class: answer.ok ? "status good" : "status bad" },
    element("strong", {}, said),
    ...headers.map((line) => element("code", {}, line)),
  );
}

/** Why a request was refused, in the server's words; empty for one that was not. */
export function refusal(answer) {
  if (answer.ok || !answer.status) return [];
  const told = descriptions(answer.body);
  const summary = typeof answer.body?.error === "string" && !told.length ? answer.body.error : null;
  return [
    summary ? element("p", {}, summary) : null,
    told.length ? element("ul", {}, ...told.map((line) => element("li", {}, line))) : null,
    HINTS[answer.status] ? element("p", {}, HINTS[answer.status]) : null,
  ];
}

/** An answer to a request that wrote: status, words, a link to what was written, the body. */
export function answerView(answer, url) {
  const self = answer.ok ? linkOf(answer.body, "self") : null;
  return [
    element("h3", {}, "Answer"),
    statusLine(answer),
    ...refusal(answer),
    self ? element("p", {}, "Open ", anchor(self.href, url)) : null,
    bodyView(answer),
  ];
}

/** The body as JSON, or as the text that it is. */
export function bodyView(answer) {
  if (answer.body !== undefined) return json(answer.body);
  return answer.text ? element("pre", { tabindex: "0" }, answer.text.slice(0, LONGEST_TEXT)) : null;
}

/** A sentence for each error description: "birthdate.month: Not a whole number. Hint." */
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
