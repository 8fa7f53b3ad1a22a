// Improves the steps after the form: buttons that copy, share and print. The server hides them, because they need this
// module: <button type="button" hidden data-copy="ID" data-done="Copied">, data-share="URL", data-print.

/** Shows and connects the buttons inside an element. */
export function improve(root) {
  connect(root, "copy", (button) => copy(button, document.getElementById(button.dataset.copy)));
  connect(root, "print", () => window.print());
  if (navigator.share) connect(root, "share", share);
}

function connect(root, name, act) {
  for (const button of root.querySelectorAll(`[data-${name}]`)) {
    button.hidden = false;
    button.addEventListener("click", () => act(button));
  }
}

async function copy(button, element) {
  const text = element.value ?? element.textContent;
  if (await copied(text, element)) done(button);
}

/** Copies a text. In a frame of another site the clipboard may be closed to scripts; there the selection is copied. */
async function copied(text, element) {
  try {
    await navigator.clipboard.writeText(text);
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

function share(button) {
  const { share: url, title, text } = button.dataset;
  navigator.share({ url, title, text }).catch(() => {}); // the person has closed the dialog
}
