// Sends a form once. The response to the second press of a double click would replace the page that has the undo.
let sent = false;
addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});
// After "back" the browser may show the page as it was left.
addEventListener("pageshow", () => { sent = false; });
