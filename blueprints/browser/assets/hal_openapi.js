// Reads the OpenAPI document: methods, query parameters, examples and writable properties of a path. If the document
// cannot be loaded or lacks a path, the explorer offers all methods and properties.

import { isObject } from "./hal_document.js";

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const CURSORS = ["after", "before"];
const SET_BY_SERVER = ["_links", "_embedded", "created_date", "modified_date"];
const DEPTH = 20;

export class OpenApi {
  constructor(document) {
    this.document = isObject(document) ? document : {};
  }

  /** Loads the document; returns an empty one after an error. */
  static async load(address) {
    try {
      return new OpenApi(await (await fetch(address, { credentials: "omit" })).json());
    } catch {
      return new OpenApi({});
    }
  }

  /** Returns the methods of a path, in the order of the explorer. */
  methods(path) {
    const known = this.#path(path);
    return known ? METHODS.filter((method) => method.toLowerCase() in known) : METHODS;
  }

  /** Returns the query parameters of GET without the cursors, which only links contain; null for an unknown path. */
  queryParameters(path) {
    const known = this.#path(path);
    if (!known) return null;
    const described = [...(known.parameters ?? []), ...(known.get?.parameters ?? [])].map((each) => this.#resolved(each));
    return described.filter((each) => each.in === "query" && !CURSORS.includes(each.name));
  }

  /** Returns the example bodies of an operation as [title, body]. */
  examples(path, method) {
    const content = this.#content(path, method);
    if (content?.example !== undefined) return [["Example of the OpenAPI document", content.example]];
    return Object.entries(content?.examples ?? {}).map(([name, found]) => {
      const example = this.#resolved(found);
      return [example.summary ?? name, example.value];
    });
  }

  /** Returns the properties of a resource that PUT on this path accepts, without links and those the server sets. */
  writable(path, resource) {
    return this.#writable(resource, this.#content(path, "PUT")?.schema, 0);
  }

  #writable(value, found, depth) {
    const schema = this.#resolved(found);
    if (depth > DEPTH || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => this.#writable(each, schema.items, depth + 1));
    if (!isObject(value)) return value;
    const kept = Object.entries(value).filter(([name]) => {
      if (depth === 0 && SET_BY_SERVER.includes(name)) return false;
      const known = !schema.properties || schema.additionalProperties || name in schema.properties;
      return known && !this.#resolved(schema.properties?.[name]).readOnly;
    });
    return Object.fromEntries(
      kept.map(([name, inner]) => [name, this.#writable(inner, schema.properties?.[name], depth + 1)]),
    );
  }

  /** Returns the document's entry for a path: of several matching templates the one with the fewest variables. */
  #path(path) {
    const segments = path.split("/");
    const fitting = Object.keys(this.document.paths ?? {}).filter((template) => {
      const parts = template.split("/");
      return parts.length === segments.length && parts.every((part, at) => part === segments[at] || part.startsWith("{"));
    });
    fitting.sort((one, other) => one.split("{").length - other.split("{").length);
    return fitting.length ? this.document.paths[fitting[0]] : null;
  }

  /** Returns the description of an operation's JSON body, or undefined. */
  #content(path, method) {
    const operation = this.#path(path)?.[method.toLowerCase()];
    return Object.values(this.#resolved(operation?.requestBody).content ?? {})[0];
  }

  /** Returns the target of a $ref with the properties beside it. Stops after DEPTH steps: references can be cyclic. */
  #resolved(found) {
    let described = found ?? {};
    for (let step = 0; step < DEPTH && typeof described.$ref === "string"; step += 1) {
      const { $ref, ...beside } = described;
      const target = $ref.replace(/^#\//, "").split("/").reduce((part, name) => part?.[name], this.document);
      described = { ...target, ...beside };
    }
    return described;
  }
}
