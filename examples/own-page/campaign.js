// The address of your server. `recordForm` sends the form once, also after a double click or a retry.
import { InvalidOutreach, NotAllowed, recordForm, TooManyRequests } from "http://localhost:5000/act/record.js";

const form = document.getElementById("campaign");
const status = document.getElementById("status");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.textContent = "Sending…";
  try {
    // With `development: true` the console names each field that the server would ignore.
    await recordForm(form.dataset.campaign, form, { development: location.hostname === "localhost" });
    status.textContent = "Recorded. Thank you!";
    form.reset();
  } catch (error) {
    status.textContent = messageOf(error);
  }
});

function messageOf(error) {
  if (error instanceof InvalidOutreach) return `Please check your entries: ${error.message}`;
  if (error instanceof NotAllowed) return "This campaign takes no entries at the moment.";
  if (error instanceof TooManyRequests) return "There are too many entries from your network. Please try again later.";
  return "The server did not respond. Your text is still here. Please try again: it counts only once.";
}
