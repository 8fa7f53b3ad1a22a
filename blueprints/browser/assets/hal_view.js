// Shows a resource: its properties, links, embedded resources, and a form for query parameters. Links within the
// explorer are anchors with a fragment (#/api/v1/...), so that history, bookmarks and new tabs need no further code.

import { expand, fragmentOf, insideApi, onTheWeb, shortened, variables } from "./hal_address.js";
import * as hal from "./hal_document.js";
import { element, field } from "./hal_dom.js";

const DEPTH = 20;
const FEW = 5;
const USUAL_PARAMETERS = ["per_page", "page", "filter"].map((name) => ({ name }));

/** Returns the view of a resource from `url`. `parameters` are the query parameters; `follow` opens a URL. */
export function resourceView(resource, url, parameters, follow) {
  const queried = parameters ?? (hal.isCollection(resource) ? USUAL_PARAMETERS : []);
  return [
    section("Properties", propertyList(resource, 0)),
    section("Links", linkTable(resource, url, follow)),
    queried.length ? section("Query", queryForm(queried, url, follow)) : null,
    ...hal.embeddedOf(resource).map(([relation, found]) => embeddedSection(relation, found, resource, url)),
    element("details", {}, element("summary", {}, "JSON of the response"), json(resource)),
  ];
}

/** Returns a value as formatted JSON. */
export function json(value) {
  return element("pre", { tabindex: "0", "aria-label": "JSON" }, JSON.stringify(value, null, 2));
}

/** Returns a link that opens in the explorer for an address in the API, and in a new tab for another web address. */
export function anchor(address, base, text = null) {
  const inside = insideApi(address, base);
  if (inside) return element("a", { href: fragmentOf(inside) }, text ?? shortened(inside));
  const outside = onTheWeb(address, base);
  if (!outside) return element("code", {}, text ?? address);
  return element("a", { href: outside.href, rel: "noreferrer", target: "_blank" }, text ?? shortened(outside));
}

function section(title, ...content) {
  return element("section", { "aria-label": title }, element("h3", {}, title), ...content);
}

/** Returns the properties as a description list; nested objects and arrays become nested lists. */
function propertyList(resource, depth) {
  const rows = hal.propertiesOf(resource).map(([name, value]) => [
    element("dt", {}, name),
    element("dd", {}, valueView(value, depth + 1)),
  ]);
  return rows.length ? element("dl", { class: "properties" }, ...rows.flat()) : element("p", { class: "quiet" }, "None.");
}

/** Returns one value as text; an object or array as a list. */
function valueView(value, depth) {
  if (depth > DEPTH) return JSON.stringify(value);
  if (Array.isArray(value) && value.length) {
    return element("ol", { class: "values" }, ...value.map((each) => element("li", {}, valueView(each, depth + 1))));
  }
  if (hal.isObject(value) && Object.keys(value).length) return propertyList(value, depth);
  if (typeof value === "string" && value) return element("span", { class: "text" }, value);
  return element("code", {}, JSON.stringify(value));
}

/** Returns a table of the links. More than FEW links of one relation are folded. */
function linkTable(resource, url, follow) {
  const rows = hal.linksOf(resource).flatMap(([relation, links]) => {
    if (links.length <= FEW) return links.map((link) => linkRow(relation, link, resource, url, follow));
    const items = links.map((link) => element("li", {}, anchor(link.href, url)));
    const folded = element("details", {}, element("summary", {}, `${links.length} links`), element("ul", {}, ...items));
    return [row(relationView(relation, resource, url), "", folded)];
  });
  return rows.length ? element("table", {}, ...rows) : element("p", { class: "quiet" }, "None.");
}

function linkRow(relation, link, resource, url, follow) {
  const title = [link.title, link.name].find((text) => typeof text === "string") ?? "";
  return row(relationView(relation, resource, url), title, target(relation, link, url, follow));
}

function row(relation, title, address) {
  const heading = element("th", { scope: "row" }, relation);
  return element("tr", {}, heading, element("td", {}, address), element("td", {}, title));
}

/** Returns the relation's name, as a link to its documentation if there is one. */
function relationView(relation, resource, url) {
  const documented = hal.documentationOf(relation, resource);
  const page = documented === null ? null : onTheWeb(documented, url);
  if (!page) return relation;
  return element("a", { href: page.href, rel: "noreferrer", target: "_blank", title: "Documentation" }, relation);
}

/** Returns an anchor, or a form for the variables of a template. Curies are shown as text. */
function target(relation, link, url, follow) {
  if (!link.templated) return anchor(link.href, url);
  const names = variables(link.href);
  if (relation === "curies" || names === null) return element("code", {}, link.href);
  return element("div", {}, element("code", {}, link.href), templateForm(link.href, names, url, follow));
}

/** Returns a form with the variables of a templated link. */
function templateForm(template, names, url, follow) {
  const problem = element("span", { class: "problem", role: "alert" });
  return inputForm(names.map((name) => ({ name })), {}, "Follow", problem, (values) => {
    const chosen = insideApi(expand(template, values), url);
    problem.textContent = chosen ? "" : "This address is outside the API.";
    if (chosen) follow(chosen);
  });
}

/** Returns a form with the query parameters of an address, with their present values and without page cursors. */
function queryForm(parameters, url, follow) {
  const present = Object.fromEntries(url.searchParams);
  return inputForm(parameters, present, "Apply", null, (values) => {
    const chosen = new URL(url.pathname, url);
    for (const [name, value] of Object.entries(values)) if (value) chosen.searchParams.set(name, value);
    follow(chosen);
  });
}

/** Returns a form with an input for each parameter; calls `submitted` with {name: value}. */
function inputForm(parameters, present, action, note, submitted) {
  const fields = parameters.map(({ name, schema, description }) => {
    const kind = schema?.type === "integer" ? { type: "number", min: schema.minimum } : { type: "text" };
    const size = kind.type === "text" && name === "filter" ? "wide-field" : null;
    const made = field(name, { ...kind, value: present[name], title: description, spellcheck: "false" });
    if (size) made.label.setAttribute("class", size);
    return made;
  });
  const form = element("form", { class: "fields" }, ...fields.map(({ label }) => label));
  form.append(element("button", {}, action), ...(note ? [note] : []));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(Object.fromEntries(fields.map(({ input }) => [input.name, input.value.trim()])));
  });
  return form;
}

/** Returns the embedded resources of a relation as cards, for a collection with links to the other pages. */
function embeddedSection(relation, found, resource, url) {
  const cards = found.map((each) => card(each, url));
  const none = element("p", { class: "quiet" }, "None on this page.");
  const list = cards.length ? element("ul", { class: "cards" }, ...cards) : none;
  const pager = hal.isCollection(resource) ? pageLinks(resource, url) : null;
  return section(`Embedded: ${relation}`, pager, list);
}

/** Returns a card: the resource's name as a link, its first identifier, and its folded properties. */
function card(resource, url) {
  const self = hal.linkOf(resource, "self");
  const name = hal.nameOf(resource);
  const identifier = [resource.identifiers].flat()[0];
  return element(
    "li",
    {},
    self ? anchor(self.href, url, name) : element("strong", {}, name),
    typeof identifier === "string" && identifier !== name ? element("small", {}, identifier) : null,
    element("details", {}, element("summary", {}, "Properties"), propertyList(resource, 1)),
  );
}

/** Returns the position of the page in its collection, and links to the previous and the next page. */
function pageLinks(resource, url) {
  const [previous, next] = [hal.linkOf(resource, "previous", "prev"), hal.linkOf(resource, "next")];
  const pages = Math.max(resource.total_pages ?? 0, 1);
  const place = resource.page === undefined ? "" : `Page ${resource.page} of ${pages}, ${resource.total_records} in all`;
  return element(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    previous ? anchor(previous.href, url, "Previous page") : element("span", { class: "quiet" }, "Previous page"),
    element("span", {}, place),
    next ? anchor(next.href, url, "Next page") : element("span", { class: "quiet" }, "Next page"),
  );
}
