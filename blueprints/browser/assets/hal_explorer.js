// The HAL explorer: walks the API from its entry point. The address that is shown stands in the page's fragment
// (#/api/v1/people); the token stands in its input and nowhere else.

import { API, fragmentOf, insideApi, shortened } from "./hal_address.js";
import { bodyView, refusal, statusLine } from "./hal_answer.js";
import { send } from "./hal_client.js";
import { isObject } from "./hal_document.js";
import { element } from "./hal_dom.js";
import { Editor } from "./hal_editor.js";
import { OpenApi } from "./hal_openapi.js";
import { resourceView } from "./hal_view.js";

const page = document.getElementById("explorer");
const title = document.title;
const token = document.getElementById("token");
const address = document.getElementById("address");
const note = document.getElementById("address-note");
const shown = document.getElementById("resource");

const openApi = await OpenApi.load(page.dataset.document);
const editor = new Editor(document.getElementById("editor"), { openApi, send: sendWithToken, written });
let visits = 0;
let current = null;

/** Sends a request with the token that the input holds now. */
function sendWithToken(method, url, options = {}) {
  return send(method, url, { ...options, token: token.value.trim() });
}

/** Opens an address: by changing the fragment, or again where it is the one that is open. */
function follow(url) {
  if (location.hash === fragmentOf(url)) return open(url);
  location.hash = fragmentOf(url);
}

/** Opens what the fragment names; the entry point where it names nothing. */
function openFragment() {
  const named = location.hash.slice(1);
  const url = named ? insideApi(named) : API;
  if (!url) return refuse(`${named} is not an address of this API.`);
  if (named && location.hash !== fragmentOf(url)) history.replaceState(null, "", fragmentOf(url));
  return open(url);
}

/** Reads an address and shows what it answers; of two that are under way the later one is shown. */
async function open(url) {
  const visit = (visits += 1);
  const moved = current !== null && current.href !== url.href;
  current = url;
  address.value = shortened(url);
  note.textContent = "";
  shown.setAttribute("aria-busy", "true");
  const readable = openApi.methods(url.pathname).includes("GET");
  const answer = readable ? await sendWithToken("GET", url) : null;
  if (visit !== visits) return;
  document.title = `${shortened(url)} - ${title}`;
  const heading = show(url, ...(answer ? answerParts(answer, url) : onlyWritten(url)));
  if (moved) heading.focus();
  editor.show(url, answer?.ok ? answer.body : null, answer?.headers.ETag);
}

/** What the page shows of an answer: the resource, or why there is none. */
function answerParts(answer, url) {
  if (!answer.ok) return [statusLine(answer), ...refusal(answer), bodyView(answer)];
  if (!isObject(answer.body)) return [statusLine(answer), bodyView(answer)];
  return [statusLine(answer), ...resourceView(answer.body, url, openApi.queryParameters(url.pathname), follow)];
}

/** What the page shows of an address that cannot be read, as the helper's. */
function onlyWritten(url) {
  const methods = openApi.methods(url.pathname).join(", ");
  return [element("p", {}, `This address is not read but written to: it takes ${methods}.`)];
}

/** Replaces what is shown; returns its heading, which the keyboard's focus moves to when another address was opened. */
function show(url, ...parts) {
  const heading = element("h2", { tabindex: "-1" }, shortened(url));
  shown.replaceChildren(heading, ...parts.filter((part) => part !== null));
  shown.setAttribute("aria-busy", "false");
  return heading;
}

/** Says why an address is not opened, and leaves what is shown. */
function refuse(sentence) {
  visits += 1;
  note.textContent = sentence;
  shown.setAttribute("aria-busy", "false");
}

/** After a write: what was deleted is gone from the page, everything else is read again. */
function written(method, url) {
  const deleted = method === "DELETE" && current?.pathname === url.pathname;
  if (!deleted) return openApi.methods(url.pathname).includes("GET") ? openFragment() : undefined;
  visits += 1;
  editor.close();
  show(url, element("p", {}, "This was deleted."));
}

/** Makes a form do its work here instead of being sent. */
function onSubmit(name, work) {
  document.getElementById(name).addEventListener("submit", (event) => {
    event.preventDefault();
    work();
  });
}

onSubmit("token-form", openFragment);
onSubmit("address-form", () => {
  const url = insideApi(address.value.trim());
  if (url) follow(url);
  else refuse("Only addresses of this API are opened here.");
});
addEventListener("hashchange", openFragment);
openFragment();
