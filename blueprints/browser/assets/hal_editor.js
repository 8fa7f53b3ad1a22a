// The form that writes: a method, a body that is checked before it is sent, and the answer. It sends If-Match with the
// ETag that reading gave, so that nobody's change is overwritten unseen.

import { insideApi } from "./hal_address.js";
import { answerView } from "./hal_answer.js";
import { isObject } from "./hal_document.js";
import { element, option } from "./hal_dom.js";

const FIRST_CHOICE = ["PUT", "POST", "DELETE"];

export class Editor {
  /** `send(method, url, {body, ifMatch})` answers; `written(method, url)` is told of what the server took. */
  constructor(section, { openApi, send, written }) {
    this.section = section;
    this.answer = section.querySelector("#answer");
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

  /** Offer what can be written at an address; at the same one as before, what was typed stays. */
  show(url, resource, etag) {
    const same = this.url?.href === url.href;
    const typed = same && this.fields.body.value !== this.filledIn;
    Object.assign(this, { url, resource, etag });
    if (!same) this.#clearAnswer();
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

  /** Show an answer under the form, also when the resource is gone. */
  showAnswer(answer, url) {
    this.answer.replaceChildren(...answerView(answer, url).filter((part) => part !== null));
  }

  /** Offer nothing, but leave the last answer to be read. */
  close() {
    this.url = null;
    this.form.hidden = true;
  }

  #clearAnswer() {
    this.answer.replaceChildren();
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

  /** What the body may start from, as [title, body]. */
  #choices(method) {
    const path = this.url.pathname;
    const now = method === "PUT" ? [["What is stored now", this.openApi.writable(path, this.resource)]] : [];
    const examples = this.openApi.examples(path, method);
    return [...now, ...examples, ["Nothing", {}]];
  }

  #fillIn() {
    const [, body] = this.choices[Number(this.fields.example.value)];
    this.filledIn = JSON.stringify(body, null, 2);
    this.fields.body.value = this.filledIn;
    this.#complain("");
  }

  /** Check what was entered, ask before deleting, send, and show the answer. */
  async #submit() {
    const method = this.fields.method.value;
    const url = insideApi(this.fields.target.value, this.url);
    const body = method === "DELETE" ? undefined : this.fields.body.value;
    const wrong = url ? body !== undefined && whyNotJson(body) : "This address is not part of the API.";
    this.#complain(wrong || "");
    this.answer.replaceChildren();
    if (wrong || (method === "DELETE" && !confirm(`DELETE ${url.pathname}${url.search}\n\nThis cannot be undone.`))) return;
    const ifMatch = method !== "POST" && url.pathname === this.url.pathname ? this.etag : undefined;
    this.fields.send.disabled = true;
    const answer = await this.deliver(method, url, { body, ifMatch });
    this.fields.send.disabled = false;
    this.showAnswer(answer, url);
    if (answer.ok) {
      this.filledIn = this.fields.body.value;
      await this.written(method, url);
    }
    this.answer.scrollIntoView({ block: "nearest" });
  }

  #complain(sentence) {
    this.note.textContent = sentence;
    this.fields.body.setAttribute("aria-invalid", String(Boolean(sentence)));
  }
}

/** Why a text is no JSON object, in a sentence; empty when it is one. */
function whyNotJson(text) {
  try {
    return isObject(JSON.parse(text)) ? "" : "Not sent: the body has to be a JSON object.";
  } catch (error) {
    return `Not sent: this is not JSON. ${error.message}`;
  }
}
