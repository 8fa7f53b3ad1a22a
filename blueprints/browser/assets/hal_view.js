// Shows a resource: its properties, its links, its embedded resources, a form for its query parameters. What is opened
// in the explorer is an anchor to a fragment (#/api/v1/...), so that history, bookmarks and new tabs work by themselves.

import { expand, fragmentOf, insideApi, onTheWeb, shortened, variables } from "./hal_address.js";
import * as hal from "./hal_document.js";
import { element, field } from "./hal_dom.js";

const DEPTH = 20;
const FEW = 5;
const USUAL_PARAMETERS = ["per_page", "page", "filter"].map((name) => ({ name }));

/** Everything about a resource that was read at `url`; `follow` opens a URL, `parameters` are those of the query. */
export function resourceView(resource, url, parameters, follow) {
  const asked = parameters ?? (hal.isCollection(resource) ? USUAL_PARAMETERS : []);
  return [
    section("Properties", propertyList(resource, 0)),
    section("Links", linkTable(resource, url, follow)),
    asked.length ? section("Query", queryForm(asked, url, follow)) : null,
    ...hal.embeddedOf(resource).map(([relation, found]) => embeddedSection(relation, found, resource, url)),
    element("details", {}, element("summary", {}, "JSON as answered"), json(resource)),
  ];
}

/** A value as JSON, laid out. */
export function json(value) {
  return element("pre", { tabindex: "0", "aria-label": "JSON" }, JSON.stringify(value, null, 2));
}

/** A link opened in the explorer where it lies in the API, in a new tab where it is on the web, and text otherwise. */
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

/** The properties as a list of terms; nested objects and arrays become lists inside it. */
function propertyList(resource, depth) {
  const rows = hal.propertiesOf(resource).map(([name, value]) => [
    element("dt", {}, name),
    element("dd", {}, valueView(value, depth + 1)),
  ]);
  return rows.length ? element("dl", { class: "properties" }, ...rows.flat()) : element("p", { class: "quiet" }, "None.");
}

/** One value as text, or as a list when it has parts. */
function valueView(value, depth) {
  if (depth > DEPTH) return JSON.stringify(value);
  if (Array.isArray(value) && value.length) {
    return element("ol", { class: "values" }, ...value.map((each) => element("li", {}, valueView(each, depth + 1))));
  }
  if (hal.isObject(value) && Object.keys(value).length) return propertyList(value, depth);
  if (typeof value === "string" && value) return element("span", { class: "text" }, value);
  return element("code", {}, JSON.stringify(value));
}

/** The links, a row each; many of one relation are folded, as a collection's are, which are embedded as well. */
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

/** The relation's name, leading to its documentation where it has some. */
function relationView(relation, resource, url) {
  const documented = hal.documentationOf(relation, resource);
  const page = documented === null ? null : onTheWeb(documented, url);
  if (!page) return relation;
  return element("a", { href: page.href, rel: "noreferrer", target: "_blank", title: "Documentation" }, relation);
}

/** Where a link leads: an anchor, or a form for the variables of a template. Curies are for names, not to be followed. */
function target(relation, link, url, follow) {
  if (!link.templated) return anchor(link.href, url);
  const names = variables(link.href);
  if (relation === "curies" || names === null) return element("code", {}, link.href);
  return element("div", {}, element("code", {}, link.href), templateForm(link.href, names, url, follow));
}

/** A small form with the variables of a templated link. */
function templateForm(template, names, url, follow) {
  const refused = element("span", { class: "problem", role: "alert" });
  return inputForm(names.map((name) => ({ name })), {}, "Follow", refused, (values) => {
    const chosen = insideApi(expand(template, values), url);
    refused.textContent = chosen ? "" : "That leads out of this API.";
    if (chosen) follow(chosen);
  });
}

/** A form with the query parameters of an address, filled with those that it has; the cursor of a page is dropped. */
function queryForm(parameters, url, follow) {
  const present = Object.fromEntries(url.searchParams);
  return inputForm(parameters, present, "Apply", null, (values) => {
    const chosen = new URL(url.pathname, url);
    for (const [name, value] of Object.entries(values)) if (value) chosen.searchParams.set(name, value);
    follow(chosen);
  });
}

/** A form with an input for each parameter; submitting hands over {name: value}. */
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

/** The embedded resources of a relation as cards, between the links to the previous and the next page. */
function embeddedSection(relation, found, resource, url) {
  const cards = found.map((each) => card(each, url));
  const list = cards.length ? element("ul", { class: "cards" }, ...cards) : element("p", { class: "quiet" }, "None here.");
  const pager = hal.isCollection(resource) ? pageLinks(resource, url) : null;
  return section(`Embedded: ${relation}`, pager, list);
}

/** A card: the resource's name, which opens it, its first identifier, and its properties folded away. */
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

/** Where the page stands in its collection, and the ways on and back. */
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
