// Connects a form in a frame with embed.js on the page around it: says how high the content is, and when it is new.
// It sends no data of the supporter. It reads messages of the page around it only.

const STEP = 16;

/** Starts to report heights. Calls `takeContext` with the source of the visit, as soon as embed.js sends it. */
export function connect(takeContext) {
  let reported = 0;
  function report() {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height / STEP) * STEP;
    if (height !== reported) send({ type: "osdi:height", height });
    reported = height;
  }
  function send(message) {
    window.parent.postMessage(message, "*");
  }
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    if (event.data?.type === "osdi:context") takeContext(event.data);
    if (event.data?.type === "osdi:report") {
      reported = 0;
      report();
    }
  });
  new ResizeObserver(report).observe(document.documentElement);
  report();
  return { scrollIntoView: () => send({ type: "osdi:scroll" }) };
}
