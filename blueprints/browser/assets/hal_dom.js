// Makes the page's elements. What the server says enters the page only as text: nothing here parses HTML, and the
// page's Content-Security-Policy (trusted-types 'none') makes the browser refuse a script that would.

/** An element with attributes and children; strings become text, attributes and children that are null are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** An option of a select. */
export function option(value, text = value) {
  return element("option", { value }, text);
}

/** A label around an input, and the input: `field("page", { type: "number" })`. */
export function field(name, attributes) {
  const input = element("input", { name, autocomplete: "off", ...attributes });
  return { input, label: element("label", {}, `${name} `, input) };
}
