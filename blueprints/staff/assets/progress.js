// Shows how far an import is, and loads the page again when the import goes on to its next step. Ends after an hour.

const section = document.querySelector("[data-progress]");
const text = section.querySelector("[data-doing]");
const bar = section.querySelector("progress");
const SECONDS = 2;

async function look() {
  const response = await fetch(section.dataset.progress, { redirect: "manual" }).catch(() => null);
  if (!response || !response.ok) return;
  const found = await response.json();
  if (found.state !== section.dataset.state) {
    location.replace(location.pathname);
    return;
  }
  text.textContent = found.doing;
  if (bar && found.percent !== null) bar.value = found.percent;
}

const timer = setInterval(look, SECONDS * 1000);
setTimeout(() => clearInterval(timer), 3_600_000);
