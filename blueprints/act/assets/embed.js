// Improves the frames of our forms on another site's page: passes the source of the visit, sets the height, scrolls a
// thank-you into view, and adds a link if a form does not appear. The frames work without it.
(() => {
  const base = new URL(".", document.currentScript.src);
  const STEP = 16;
  const MIN_HEIGHT = 320;
  const MAX_HEIGHT = 4096;
  const WAIT_MS = 8000;
  const links = new Map();
  const reported = new WeakSet();

  const frames = () => [...document.querySelectorAll("iframe")].filter((frame) => frame.src.startsWith(base.href));

  /** True for our origin, and for the opaque origin of a frame that its page has put into a sandbox. */
  const isOurs = (event, frame) => event.origin === base.origin
    || (event.origin === "null" && frame.hasAttribute("sandbox") && !frame.sandbox.contains("allow-same-origin"));

  function context() {
    const sent = { type: "osdi:context", website: location.origin };
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name === "source" || name.startsWith("utm_")) sent[name] = value;
    }
    const referrer = document.referrer && new URL(document.referrer).origin;
    if (referrer && referrer !== location.origin) sent.referrer = referrer;
    return sent;
  }

  /** True if the page has put the frame into a sandbox in which no form can be sent. */
  const cannotSend = (frame) => frame.hasAttribute("sandbox") && !frame.sandbox.contains("allow-forms");

  function addLink(frame) {
    if ((reported.has(frame) && !cannotSend(frame)) || links.has(frame)) return;
    const link = document.createElement("a");
    link.href = frame.src.replace(/\/embed\b/, "");
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = frame.title || link.href;
    const paragraph = document.createElement("p");
    paragraph.append(link);
    frame.before(paragraph);
    links.set(frame, paragraph);
  }

  function watch() {
    const visible = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        visible.unobserve(target);
        target.dataset.osdiWatched = "visible";
        setTimeout(addLink, WAIT_MS, target);
      }
    });
    for (const frame of frames()) {
      if ("osdiWatched" in frame.dataset) continue;
      frame.dataset.osdiWatched = "";
      visible.observe(frame);
      // A form that was there before this script has reported its height to nobody. The message contains nothing else.
      frame.contentWindow?.postMessage({ type: "osdi:report" }, "*");
    }
  }

  window.addEventListener("message", (event) => {
    const frame = frames().find((each) => each.contentWindow === event.source);
    if (!frame || !isOurs(event, frame)) return;
    const { type, height } = event.data ?? {};
    if (type === "osdi:scroll" && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
    if (type !== "osdi:height" || typeof height !== "number" || !(height > 0)) return;
    frame.style.height = `${Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, Math.ceil(height / STEP) * STEP))}px`;
    reported.add(frame);
    if (!cannotSend(frame)) links.get(frame)?.remove();
    event.source.postMessage(context(), event.origin === "null" ? "*" : event.origin);
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
