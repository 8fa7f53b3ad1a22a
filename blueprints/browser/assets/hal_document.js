// Reads a HAL document (draft-kelly-json-hal): its properties, links, curies and embedded resources. Pure functions.
// Parts that do not follow HAL are ignored; the functions never throw.

import { expand } from "./hal_address.js";

const NAMES = ["title", "name", "subject", "summary"];

/** True if the value is a JSON object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True if the resource is a page of a collection. */
export function isCollection(resource) {
  return isObject(resource) && ("total_records" in resource || "per_page" in resource);
}

/** Returns the properties as [name, value], without `_links` and `_embedded`. */
export function propertiesOf(resource) {
  return Object.entries(resource).filter(([name]) => name !== "_links" && name !== "_embedded");
}

/** Returns the links as [relation, [link, ...]]; a link is an object with an href. */
export function linksOf(resource) {
  const links = isObject(resource?._links) ? resource._links : {};
  return Object.entries(links)
    .map(([relation, found]) => [relation, [found].flat().filter((link) => typeof link?.href === "string")])
    .filter(([, found]) => found.length > 0);
}

/** Returns the first link with one of these relations, or undefined. */
export function linkOf(resource, ...relations) {
  return linksOf(resource).find(([relation]) => relations.includes(relation))?.[1][0];
}

/** Returns the embedded resources as [relation, [resource, ...]]. */
export function embeddedOf(resource) {
  const embedded = isObject(resource?._embedded) ? resource._embedded : {};
  return Object.entries(embedded).map(([relation, found]) => [relation, [found].flat().filter(isObject)]);
}

/** Returns the URL of a relation's documentation: the relation itself if it is a URL, else by the curies; or null. */
export function documentationOf(relation, resource) {
  if (/^https?:/.test(relation)) return relation;
  const [prefix, ...rest] = relation.split(":");
  const curies = linksOf(resource).find(([name]) => name === "curies")?.[1] ?? [];
  const curie = curies.find((found) => found.name === prefix);
  return curie && rest.length ? expand(curie.href, { rel: rest.join(":") }) : null;
}

/** Returns a name for a resource: the person's name, a title, type and date, an e-mail address or an identifier. */
export function nameOf(resource) {
  const person = texts(resource, "given_name", "family_name").join(" ");
  const [title] = texts(resource, ...NAMES);
  const action = "type" in resource ? texts(resource, "type", "action_date").join(", ") : "";
  const [email] = [resource.email_addresses].flat().filter(isObject);
  const [identifier] = [resource.identifiers].flat();
  return String(person || title || action || email?.address || identifier || "Unnamed");
}

/** Returns the values of these properties that are text. */
function texts(resource, ...names) {
  return names.map((name) => resource[name]).filter((value) => typeof value === "string" && value);
}
