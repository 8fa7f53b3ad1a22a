// The form for writing: a method, a body that is checked before it is sent, and the response. It sends If-Match with the
// ETag of the loaded resource, so that it does not overwrite somebody else's change.

import { insideApi } from "./hal_address.js";
import { responseView } from "./hal_response.js";
import { isObject } from "./hal_document.js";
import { element, option } from "./hal_dom.js";

const FIRST_CHOICE = ["PUT", "POST", "DELETE"];

export class Editor {
  /** `send(method, url, {body, ifMatch})` returns a response; `written(method, url)` is called after a success. */
  constructor(section, { openApi, send, written }) {
    this.section = section;
    this.response = section.querySelector("#response");
    this.note = section.querySelector("#editor-note");
    this.bodyParts = section.querySelectorAll("[data-part=body]");
    this.form = section.querySelector("form");
    this.fields = this.form.elements;
    Object.assign(this, { openApi, deliver: send, written, url: null, filledIn: "" });
    this.fields.method.addEventListener("change", () => this.#chooseMethod());
    this.fields.example.addEventListener("change", () => this.#fillIn());
    this.fields.refill.addEventListener("click", () => this.#fillIn());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Offers the methods of a URL. If the URL is the same as before, the typed body stays. */
  show(url, resource, etag) {
    const same = this.url?.href === url.href;
    const typed = same && this.fields.body.value !== this.filledIn;
    Object.assign(this, { url, resource, etag });
    if (!same) this.#clearResponse();
    const methods = this.openApi.methods(url.pathname);
    const offered = FIRST_CHOICE.filter((method) => methods.includes(method) && (method !== "PUT" || isObject(resource)));
    this.section.hidden = offered.length === 0;
    if (typed || !offered.length) return;
    const chosen = same && offered.includes(this.fields.method.value) ? this.fields.method.value : offered[0];
    this.fields.method.replaceChildren(...offered.map((method) => option(method)));
    this.fields.method.value = chosen;
    this.fields.target.value = url.pathname;
    this.#chooseMethod();
  }

  /** Shows a response below the form, also if the resource was deleted. */
  showResponse(response, url) {
    this.response.replaceChildren(...responseView(response, url).filter((part) => part !== null));
  }

  /** Hides the form; the last response stays visible. */
  close() {
    this.url = null;
    this.form.hidden = true;
  }

  #clearResponse() {
    this.response.replaceChildren();
    this.note.textContent = "";
    this.form.hidden = false;
  }

  #chooseMethod() {
    const method = this.fields.method.value;
    for (const part of this.bodyParts) part.hidden = method === "DELETE";
    this.choices = this.#choices(method);
    this.fields.example.replaceChildren(...this.choices.map(([title], place) => option(place, title)));
    this.#fillIn();
  }

  /** Returns the bodies to start from, as [title, body]. */
  #choices(method) {
    const path = this.url.pathname;
    const now = method === "PUT" ? [["The stored resource", this.openApi.writable(path, this.resource)]] : [];
    const examples = this.openApi.examples(path, method);
    return [...now, ...examples, ["An empty object", {}]];
  }

  #fillIn() {
    const [, body] = this.choices[Number(this.fields.example.value)];
    this.filledIn = JSON.stringify(body, null, 2);
    this.fields.body.value = this.filledIn;
    this.#showProblem("");
  }

  /** Checks the input, asks before a deletion, sends the request, and shows the response. */
  async #submit() {
    const method = this.fields.method.value;
    const url = insideApi(this.fields.target.value, this.url);
    const body = method === "DELETE" ? undefined : this.fields.body.value;
    const problem = url ? body !== undefined && jsonProblem(body) : "This address is not part of the API.";
    this.#showProblem(problem || "");
    this.response.replaceChildren();
    if (problem) return;
    if (method === "DELETE" && !confirm(`DELETE ${url.pathname}${url.search}\n\nThis cannot be undone.`)) return;
    const ifMatch = method !== "POST" && url.pathname === this.url.pathname ? this.etag : undefined;
    this.fields.send.disabled = true;
    const response = await this.deliver(method, url, { body, ifMatch });
    this.fields.send.disabled = false;
    this.showResponse(response, url);
    if (response.ok) {
      this.filledIn = this.fields.body.value;
      await this.written(method, url);
    }
    this.response.scrollIntoView({ block: "nearest" });
  }

  #showProblem(sentence) {
    this.note.textContent = sentence;
    this.fields.body.setAttribute("aria-invalid", String(Boolean(sentence)));
  }
}

/** Returns a sentence if the text is not a JSON object; otherwise an empty string. */
function jsonProblem(text) {
  try {
    return isObject(JSON.parse(text)) ? "" : "Not sent: the body must be a JSON object.";
  } catch (error) {
    return `Not sent: this is not JSON. ${error.message}`;
  }
}
