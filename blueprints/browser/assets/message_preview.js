// Refreshes the preview of a message while its author types. Without this file the buttons below the text do it.

const WAIT = 700; // milliseconds after the last key

const form = document.querySelector("form[data-preview]");
let chosen = form.querySelector("button[formtarget]");
let timer = 0;

// A new frame has no history of its own, so Back leads to the page before, not to the preview before.
function emptyFrame() {
  const frame = document.getElementById("preview");
  frame.replaceWith(frame.cloneNode(false));
}

function refresh() {
  emptyFrame();
  form.requestSubmit(chosen);
}

form.addEventListener("click", event => {
  const button = event.target.closest("button[formtarget]");
  if (button) {
    chosen = button;
  }
});

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, WAIT);
});

refresh();
