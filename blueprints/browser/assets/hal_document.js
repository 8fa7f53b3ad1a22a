// Reads a HAL document (draft-kelly-json-hal): its properties, links, curies and embedded resources. Pure functions;
// a document that is not shaped as HAL wants gives less, never an error.

import { expand } from "./hal_address.js";

const NAMES = ["title", "name", "subject", "summary"];

/** Whether a value is a JSON object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a resource is a page of a collection. */
export function isCollection(resource) {
  return isObject(resource) && ("total_records" in resource || "per_page" in resource);
}

/** The properties as [name, value], without what HAL reserves. */
export function propertiesOf(resource) {
  return Object.entries(resource).filter(([name]) => name !== "_links" && name !== "_embedded");
}

/** The links as [relation, [link, ...]]; a link is an object with an href. */
export function linksOf(resource) {
  const links = isObject(resource?._links) ? resource._links : {};
  return Object.entries(links)
    .map(([relation, found]) => [relation, [found].flat().filter((link) => typeof link?.href === "string")])
    .filter(([, found]) => found.length > 0);
}

/** The first link with one of these relations, or undefined. */
export function linkOf(resource, ...relations) {
  return linksOf(resource).find(([relation]) => relations.includes(relation))?.[1][0];
}

/** The embedded resources as [relation, [resource, ...]]. */
export function embeddedOf(resource) {
  const embedded = isObject(resource?._embedded) ? resource._embedded : {};
  return Object.entries(embedded).map(([relation, found]) => [relation, [found].flat().filter(isObject)]);
}

/** The address of a relation's documentation: itself where it is one, by the document's curies where it has a prefix. */
export function documentationOf(relation, resource) {
  if (/^https?:/.test(relation)) return relation;
  const [prefix, ...rest] = relation.split(":");
  const curies = linksOf(resource).find(([name]) => name === "curies")?.[1] ?? [];
  const curie = curies.find((found) => found.name === prefix);
  return curie && rest.length ? expand(curie.href, { rel: rest.join(":") }) : null;
}

/** What a reader would call a resource: a person's name, a title, what was done when, or the first identifier. */
export function nameOf(resource) {
  const person = texts(resource, "given_name", "family_name").join(" ");
  const [title] = texts(resource, ...NAMES);
  const done = "type" in resource ? texts(resource, "type", "action_date").join(", ") : "";
  const [email] = [resource.email_addresses].flat().filter(isObject);
  const [identifier] = [resource.identifiers].flat();
  return String(person || title || done || email?.address || identifier || "Unnamed");
}

/** Those of the named properties that hold text. */
function texts(resource, ...names) {
  return names.map((name) => resource[name]).filter((value) => typeof value === "string" && value);
}
