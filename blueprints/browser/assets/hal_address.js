// Decides which URLs the explorer may open, and fills link templates. The explorer requests only URLs below this API's
// root on the page's own origin, also if a link contains another URL.

/** The URL of the API entry point, taken from the page. */
export const API = new URL(document.getElementById("explorer").dataset.api, location.origin);

const TOKEN_ARGUMENT = "osdi-api-token";
const EXPRESSION = /\{([?&]?)([\w.%]+(?:,[\w.%]+)*)\}/g;

/** Returns the URL of an address in the API, without a token argument; null for an address outside the API. */
export function insideApi(address, base = API) {
  const url = parse(address, base);
  if (!url || url.protocol !== API.protocol || url.host !== API.host) return null;
  if (!`${url.pathname}/`.startsWith(API.pathname)) return null;
  const token = [...url.searchParams.keys()].filter((name) => name.toLowerCase() === TOKEN_ARGUMENT);
  for (const name of token) url.searchParams.delete(name);
  return new URL(url.pathname + url.search, API);
}

/** Returns the URL of an http or https address, to be opened outside the explorer; null for javascript:, data: etc. */
export function onTheWeb(address, base = API) {
  const url = parse(address, base);
  return url && ["http:", "https:"].includes(url.protocol) ? url : null;
}

/** Returns the fragment of the page's URL for a URL of the API: `#/api/v1/people?page=2`. */
export function fragmentOf(url) {
  return `#${url.pathname}${url.search}`;
}

/** Returns the visible form of a URL: without the origin if that is the API's. */
export function shortened(url) {
  return url.origin === API.origin ? url.pathname + url.search : url.href;
}

/** Returns the variables of a template (RFC 6570: {a}, {?a,b} and {&a,b}); null if it has other expressions. */
export function variables(template) {
  if (/[{}]/.test(template.replace(EXPRESSION, ""))) return null;
  return [...new Set([...template.matchAll(EXPRESSION)].flatMap((found) => found[2].split(",")))];
}

/** Returns the template with its variables filled in, without variables that have no value. */
export function expand(template, values) {
  return template.replace(EXPRESSION, (_, operator, names) => {
    const given = names.split(",").filter((name) => values[name]);
    if (!operator) return given.map((name) => encode(values[name])).join(",");
    return given.map((name, place) => `${place ? "&" : operator}${name}=${encode(values[name])}`).join("");
  });
}

/** Percent-encodes all characters except the unreserved ones. */
function encode(value) {
  return encodeURIComponent(value).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns a URL, or null if the address is invalid. */
function parse(address, base) {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
}
