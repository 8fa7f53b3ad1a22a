// Renews the preview of a campaign while its editor types. Without this file the buttons above the frame do it.

const WAIT = 300; // milliseconds after the last key

const form = document.getElementById("editor");
const status = document.getElementById("preview-status");
let shown = document.getElementById("preview");
let chosen = document.querySelector("button[form=editor]");
let address = chosen.formAction;
let place = "";
let timer = 0;
let saving = false;
let asked = new AbortController();
let number = 0;

// The server is asked first: if something is wrong, the frame keeps the last preview.
async function renew() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const typed = new FormData(form);
  typed.set("part", "check");
  try {
    const response = await fetch(address, { method: "POST", body: typed, signal });
    if (response.status === 204) {
      say("");
      show(signal);
    } else {
      say(response.status === 422 ? wrong((await response.json()).mistakes) : status.dataset.unanswered);
    }
  } catch (error) {
    if (error.name !== "AbortError") say(status.dataset.unanswered);
  }
}

function wrong(mistakes) {
  const sentences = Object.entries(mistakes).map(([name, sentence]) => {
    const label = form.elements.namedItem(name)?.labels?.[0]?.textContent;
    return label ? `${label}: ${sentence}` : sentence;
  });
  return [status.dataset.kept, ...sentences].join(" ");
}

function say(sentence) {
  if (status.textContent !== sentence) status.textContent = sentence;
}

// Loads the next preview behind the present one. A new frame has no history, so Back leads to the page before.
function show(signal) {
  document.querySelector(".previews .next")?.remove();
  const next = shown.cloneNode(false);
  number += 1;
  next.removeAttribute("id");
  next.name = `preview-${number}`;
  next.classList.add("next");
  next.inert = true; // it cannot take the focus
  shown.after(next);
  next.addEventListener("load", () => {
    if (signal.aborted || !next.isConnected || isEmpty(next)) return;
    shown.remove();
    next.id = "preview";
    next.classList.remove("next");
    next.inert = false;
    shown = next;
  });
  chosen.formTarget = next.name;
  chosen.formAction = place ? `${address}#${place}` : address;
  form.requestSubmit(chosen);
  chosen.formTarget = "preview";
}

// Some browsers report the empty document of a new frame too. The origin of a preview is another one, so it throws.
function isEmpty(frame) {
  try {
    return frame.contentWindow.location.href === "about:blank";
  } catch {
    return false;
  }
}

form.addEventListener("submit", event => {
  if (event.submitter?.formTarget === "preview") {
    event.preventDefault();
    chosen = event.submitter;
    place = "";
    renew();
  } else if (!event.submitter?.formTarget) {
    clearTimeout(timer);
    asked.abort();
    saving = true;
  }
});

form.addEventListener("input", event => {
  saving = false;
  place = event.target.closest("[data-shown-at]")?.dataset.shownAt ?? "";
  clearTimeout(timer);
  timer = setTimeout(() => saving || renew(), WAIT);
});

renew();
