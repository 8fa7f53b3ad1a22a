// Creates the page's elements. Values from the server are inserted only as text: no code here parses HTML, and the
// page's Content-Security-Policy (trusted-types 'none') makes the browser block code that would.

/** Returns an element. Children that are strings become text; attributes and children that are null are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Returns an option of a select. */
export function option(value, text = value) {
  return element("option", { value }, text);
}

/** Returns an input and a label around it: `field("page", { type: "number" })`. */
export function field(name, attributes) {
  const input = element("input", { name, autocomplete: "off", ...attributes });
  return { input, label: element("label", {}, `${name} `, input) };
}
