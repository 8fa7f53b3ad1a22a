// Decides which addresses the explorer may open, and fills link templates. Whatever a server puts into a link, only
// what lies under this API's root, on the page's own origin, is ever requested.

/** The API entry point, as the page names it. */
export const API = new URL(document.getElementById("explorer").dataset.api, location.origin);

const TOKEN_ARGUMENT = "osdi-api-token";
const EXPRESSION = /\{([?&]?)([\w.%]+(?:,[\w.%]+)*)\}/g;

/** The address as a URL when it lies in the API, without a token that it may carry; otherwise null. */
export function insideApi(address, base = API) {
  const url = parse(address, base);
  if (!url || url.protocol !== API.protocol || url.host !== API.host) return null;
  if (!`${url.pathname}/`.startsWith(API.pathname)) return null;
  const token = [...url.searchParams.keys()].filter((name) => name.toLowerCase() === TOKEN_ARGUMENT);
  for (const name of token) url.searchParams.delete(name);
  return new URL(url.pathname + url.search, API);
}

/** The address as a URL of the web, to be opened outside the explorer; null for javascript:, data: and the like. */
export function onTheWeb(address, base = API) {
  const url = parse(address, base);
  return url && ["http:", "https:"].includes(url.protocol) ? url : null;
}

/** How the page's own address names an address of the API: `#/api/v1/people?page=2`. */
export function fragmentOf(url) {
  return `#${url.pathname}${url.search}`;
}

/** What to show of an address: without the origin where that is the API's. */
export function shortened(url) {
  return url.origin === API.origin ? url.pathname + url.search : url.href;
}

/** The variables of a template (RFC 6570: {a}, {?a,b} and {&a,b}), or null for a template with anything more. */
export function variables(template) {
  if (/[{}]/.test(template.replace(EXPRESSION, ""))) return null;
  return [...new Set([...template.matchAll(EXPRESSION)].flatMap((found) => found[2].split(",")))];
}

/** The template with its variables filled in; those without a value are left out. */
export function expand(template, values) {
  return template.replace(EXPRESSION, (_, operator, names) => {
    const given = names.split(",").filter((name) => values[name]);
    if (!operator) return given.map((name) => encode(values[name])).join(",");
    return given.map((name, place) => `${place ? "&" : operator}${name}=${encode(values[name])}`).join("");
  });
}

/** Percent-encodes all but the unreserved characters. */
function encode(value) {
  return encodeURIComponent(value).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A URL, or null for what is none. */
function parse(address, base) {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
}
