// The HAL explorer: browses the API from its entry point. The fragment of the page's URL contains the present address
// (#/api/v1/people). The token is only in its input.

import { API, fragmentOf, insideApi, shortened } from "./hal_address.js";
import { bodyView, errorView, statusLine } from "./hal_response.js";
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

/** Sends a request with the token in the input. */
function sendWithToken(method, url, options = {}) {
  return send(method, url, { ...options, token: token.value.trim() });
}

/** Opens a URL by changing the fragment; loads it again if it is already open. */
function follow(url) {
  if (location.hash === fragmentOf(url)) return open(url);
  location.hash = fragmentOf(url);
}

/** Opens the address in the fragment; the entry point if the fragment is empty. */
function openFragment() {
  const named = location.hash.slice(1);
  const url = named ? insideApi(named) : API;
  if (!url) return reject(`${named} is not an address of this API.`);
  if (named && location.hash !== fragmentOf(url)) history.replaceState(null, "", fragmentOf(url));
  return open(url);
}

/** Loads a URL and shows the response; if another one is opened meanwhile, only that one is shown. */
async function open(url) {
  const visit = (visits += 1);
  const moved = current !== null && current.href !== url.href;
  current = url;
  address.value = shortened(url);
  note.textContent = "";
  shown.setAttribute("aria-busy", "true");
  const readable = openApi.methods(url.pathname).includes("GET");
  const response = readable ? await sendWithToken("GET", url) : null;
  if (visit !== visits) return;
  document.title = `${shortened(url)} - ${title}`;
  const heading = show(url, ...(response ? responseParts(response, url) : writeOnlyParts(url)));
  if (moved) heading.focus();
  editor.show(url, response?.ok ? response.body : null, response?.headers.ETag);
}

/** Returns the view of a response: the resource, or the errors. */
function responseParts(response, url) {
  if (!response.ok) return [statusLine(response), ...errorView(response), bodyView(response)];
  if (!isObject(response.body)) return [statusLine(response), bodyView(response)];
  return [statusLine(response), ...resourceView(response.body, url, openApi.queryParameters(url.pathname), follow)];
}

/** Returns the view of an address without GET, such as the helper's. */
function writeOnlyParts(url) {
  const methods = openApi.methods(url.pathname).join(", ");
  return [element("p", {}, `This address cannot be read; it accepts ${methods}.`)];
}

/** Shows these parts and returns the heading, which gets the keyboard focus when another address was opened. */
function show(url, ...parts) {
  const heading = element("h2", { tabindex: "-1" }, shortened(url));
  shown.replaceChildren(heading, ...parts.filter((part) => part !== null));
  shown.setAttribute("aria-busy", "false");
  return heading;
}

/** Shows why an address cannot be opened; the present resource stays visible. */
function reject(sentence) {
  visits += 1;
  note.textContent = sentence;
  shown.setAttribute("aria-busy", "false");
}

/** Called after a write: removes a deleted resource from the page, and loads any other address again. */
function written(method, url) {
  const deleted = method === "DELETE" && current?.pathname === url.pathname;
  if (!deleted) return openApi.methods(url.pathname).includes("GET") ? openFragment() : undefined;
  visits += 1;
  editor.close();
  show(url, element("p", {}, "The resource was deleted."));
}

/** Calls `work` when the form is submitted, instead of sending the form. */
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
  else reject("The explorer opens only addresses of this API.");
});
addEventListener("hashchange", openFragment);
openFragment();
