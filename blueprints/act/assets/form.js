// Improves a page: a second press of a form's button sends nothing, the response replaces the content without a reload, and
// text stays if no response comes. Buttons that copy, share and print appear, which need this module:
// <button type="button" hidden data-copy="ID" data-done="Copied">, data-share="URL", data-print. A link data-copies="ID"
// copies a text that is too long for its address. data-length-of="ID" shows the length of a text.
// Without it the same forms work as plain HTML. It is one file, so that a page loads few.

const TIMEOUT_MS = 30_000;
const SHORT_NAMES = { email: "email_address", phone: "phone_number", street: "street_address" };
const PREFILLED = [
  "given_name", "family_name", "email_address", "phone_number", "street_address", "postal_code", "locality", "country",
];
const SOURCES = ["source", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "referrer", "website"];
const framed = window.parent !== window;
// In a frame with the attribute sandbox, a script may post but not read the response. There the browser itself posts.
const readsResponses = window.origin !== "null";

let context = framed ? {} : { referrer: originOf(document.referrer) };
let frame = null;

function originOf(address) {
  try {
    const { origin } = new URL(address);
    return origin === "null" || origin === location.origin ? "" : origin;
  } catch {
    return "";
  }
}

function prefill() {
  const values = new URLSearchParams(location.hash.slice(1));
  let known = false;
  for (const [name, value] of values) {
    const field = SHORT_NAMES[name] ?? name;
    if (!PREFILLED.includes(field)) continue;
    known = true;
    for (const control of document.getElementsByName(`person.${field}`)) {
      if (!control.value) control.value = value.slice(0, 1000);
    }
  }
  if (known) history.replaceState(history.state, "", location.pathname + location.search);
}

/** Fills the empty hidden fields with the source of this visit. */
function describeSource() {
  for (const form of document.querySelectorAll("form[data-record]")) {
    for (const name of SOURCES) {
      if (!context[name]) continue;
      let control = form.elements.namedItem(name);
      if (!control) {
        control = document.createElement("input");
        control.type = "hidden";
        control.name = name;
        form.append(control);
      }
      if (!control.value) control.value = context[name];
    }
  }
}

/**
 * Keeps the form's token over a reload, so that a form that is sent again after one is the same outreach: a telephone
 * reloads a page whose supporter was in the mail program meanwhile. The entry of the history holds it, and nothing else.
 */
function keepToken() {
  const token = document.querySelector("form[data-record] [name=form_token]");
  if (!token) return;
  const { formToken } = history.state ?? {};
  if (formToken) token.value = formToken;
  else history.replaceState({ ...history.state, formToken: token.value }, "");
}

function takeContext(sent) {
  for (const name of SOURCES) {
    if (typeof sent[name] === "string") context[name] = sent[name].slice(0, 1000);
  }
  describeSource();
}

function buttons(form) {
  return form.querySelectorAll("button:not([type=button])");
}

function setBusy(form, busy) {
  form.toggleAttribute("data-busy", busy);
  for (const button of buttons(form)) {
    if (busy) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
  say(form, busy ? "sending" : "");
}

/** Shows one of the sentences that the server has written into the status region, in the page's language. */
function say(form, sentence, time = "") {
  const region = form.querySelector("[role=status][data-sending]");
  if (!region) return;
  region.textContent = sentence ? (region.dataset[sentence] ?? "").replace("{time}", time) : "";
  region.toggleAttribute("data-failed", !["", "sending"].includes(sentence));
}

function fail(form, sentence, time) {
  setBusy(form, false);
  say(form, sentence, time);
}

/** Shows the words of an error that no repetition changes, such as a text that is too long. The form keeps its text. */
function reject(form, words) {
  setBusy(form, false);
  const region = form.querySelector("[role=status][data-sending]");
  region.textContent = words;
  region.toggleAttribute("data-failed", true);
}

/** The time of day after which the server accepts another request, such as "21:45". */
function timeAfter(seconds) {
  const moment = new Date(Date.now() + seconds * 1000);
  return moment.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
}

function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  const address = new URL(action || location.href, location.href);
  address.hash = "";
  const request = new XMLHttpRequest();
  request.open("POST", address);
  request.responseType = "document";
  const timer = setTimeout(() => request.abort(), TIMEOUT_MS);
  request.onabort = request.onerror = () => fail(form, "unanswered");
  request.onloadend = () => clearTimeout(timer);
  request.onload = () => {
    const response = request.response;
    const mistake = response?.querySelector("[data-error]");
    if (request.status === 429) fail(form, "limited", timeAfter(Number(request.getResponseHeader("Retry-After")) || 60));
    else if (request.status >= 500 || !response?.querySelector("main")) fail(form, "unanswered");
    else if (mistake) reject(form, mistake.textContent);
    else if (new URL(request.responseURL).pathname !== address.pathname) location.assign(request.responseURL);
    else show(response);
  };
  request.send(body);
}

function show(response) {
  document.title = response.title;
  document.body.className = response.body.className;
  document.body.replaceChildren(...response.body.childNodes);
  improve();
  if (!focusNews()) window.scrollTo(0, 0);
}

/** Moves the focus to the heading or summary that the server marks as new. */
function focusNews() {
  const news = document.querySelector("[data-focus]");
  if (!news) return false;
  news.tabIndex = -1;
  news.focus();
  frame?.scrollIntoView();
  return true;
}

function improve() {
  describeSource();
  connect("copy", (button) => copy(button, document.getElementById(button.dataset.copy)));
  connect("copies", (link) => copied(document.getElementById(link.dataset.copies)));
  document.querySelectorAll("[data-length-of]").forEach(showLength);
  connect("print", () => window.print());
  if (navigator.share) connect("share", share);
}

function connect(name, act) {
  for (const button of document.querySelectorAll(`[data-${name}]`)) {
    button.hidden = false;
    button.addEventListener("click", () => act(button));
  }
}

async function copy(button, element) {
  if (await copied(element)) done(button);
}

/** Copies the text of an element. In a frame of another site the clipboard may be closed to scripts; there the selection is copied. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.value ?? element.textContent);
    return true;
  } catch {
    if (element.select) element.select();
    else getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

function done(button) {
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 3000);
}

/** Shows how long a text is and may be, such as "120 / 10,000", in characters as the server counts them. */
function showLength(region) {
  const control = document.getElementById(region.dataset.lengthOf);
  const limit = Number(region.dataset.limit);
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const show = () => {
    const length = [...control.value].length;
    region.textContent = `${number.format(length)} / ${number.format(limit)}`;
    region.toggleAttribute("data-too-long", length > limit);
  };
  control.addEventListener("input", show);
  show();
}

function share(button) {
  const { share: url, title, text } = button.dataset;
  navigator.share({ url, title, text }).catch(() => {}); // the person has closed the dialog
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method")?.toLowerCase() !== "post") return;
  if (form.hasAttribute("data-busy")) {
    event.preventDefault();
    return;
  }
  setBusy(form, true);
  if (readsResponses) {
    event.preventDefault();
    send(form, event.submitter);
  } else {
    setTimeout(() => fail(form, "unanswered"), TIMEOUT_MS);
  }
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-busy]").forEach((form) => setBusy(form, false));
});

prefill();
keepToken();
improve();
if (framed) {
  import("./frame.js").then((module) => {
    frame = module.connect(takeContext);
    focusNews();
  });
} else {
  focusNews();
}
