// What the OpenAPI document says of an address: its methods, query parameters, examples, and which properties may be
// written. Without the document (it could not be loaded, or knows nothing of a path) the explorer offers everything.

import { isObject } from "./hal_document.js";

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const CURSORS = ["after", "before"];
const SET_BY_SERVER = ["_links", "_embedded", "created_date", "modified_date"];
const DEPTH = 20;

export class OpenApi {
  constructor(document) {
    this.document = isObject(document) ? document : {};
  }

  /** The document at an address of ours; an empty one when it cannot be had. */
  static async load(address) {
    try {
      return new OpenApi(await (await fetch(address, { credentials: "omit" })).json());
    } catch {
      return new OpenApi({});
    }
  }

  /** The methods that a path takes, in the order of a reader's interest. */
  methods(path) {
    const known = this.#path(path);
    return known ? METHODS.filter((method) => method.toLowerCase() in known) : METHODS;
  }

  /** The query parameters of GET as OpenAPI describes them, but for the cursors that only links carry; null if unknown. */
  queryParameters(path) {
    const known = this.#path(path);
    if (!known) return null;
    const described = [...(known.parameters ?? []), ...(known.get?.parameters ?? [])].map((each) => this.#resolved(each));
    return described.filter((each) => each.in === "query" && !CURSORS.includes(each.name));
  }

  /** The example bodies of an operation as [title, body]. */
  examples(path, method) {
    const content = this.#content(path, method);
    if (content?.example !== undefined) return [["The document's example", content.example]];
    return Object.entries(content?.examples ?? {}).map(([name, found]) => {
      const example = this.#resolved(found);
      return [example.summary ?? name, example.value];
    });
  }

  /** The part of a resource that PUT on this path takes: no links, nothing that the server sets. */
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

  /** What the document has for a path: of several templates that fit, the one with the fewest variables. */
  #path(path) {
    const segments = path.split("/");
    const fitting = Object.keys(this.document.paths ?? {}).filter((template) => {
      const parts = template.split("/");
      return parts.length === segments.length && parts.every((part, at) => part === segments[at] || part.startsWith("{"));
    });
    fitting.sort((one, other) => one.split("{").length - other.split("{").length);
    return fitting.length ? this.document.paths[fitting[0]] : null;
  }

  /** The JSON body that an operation takes, or undefined. */
  #content(path, method) {
    const operation = this.#path(path)?.[method.toLowerCase()];
    return Object.values(this.#resolved(operation?.requestBody).content ?? {})[0];
  }

  /** What a $ref points to, with what stands beside it; bounded, since references may go round. */
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
