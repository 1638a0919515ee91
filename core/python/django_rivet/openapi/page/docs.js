// Shows the OpenAPI document that stands beside this file.
import { element } from "./element.js";
import { example, schemaText } from "./schemas.js";
import { credentialFields } from "./credentials.js";
import { tryForm } from "./trying.js";

const METHODS = ["get", "head", "post", "put", "patch", "delete", "options"];
const main = document.getElementById("docs");

async function show() {
  const address = new URL("openapi.json", import.meta.url);
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${address.pathname}: ${answer.status}`);
  const api = await answer.json();
  const groups = byTag(api);
  main.replaceChildren(
    header(api, address),
    contents(groups),
    credentialFields(api.components?.securitySchemes ?? {}),
    ...[...groups].map(([tag, operations]) => section(api, tag, operations)),
    schemas(api),
  );
  main.removeAttribute("aria-busy");
  open();
  addEventListener("hashchange", open);
}

function byTag(api) {
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => name in item)) {
      const operation = { ...item[method], method, path };
      const [tag] = operation.tags ?? ["other"];
      groups.set(tag, [...(groups.get(tag) ?? []), operation]);
    }
  }
  return groups;
}

function header(api, address) {
  return element("header", {}, [
    element("h1", {}, [api.info.title, " ", element("small", {}, [api.info.version])]),
    element("p", {}, [api.info.description ?? ""]),
    element("p", {}, [element("a", { href: address.href }, ["openapi.json"]), ` OpenAPI ${api.openapi}`]),
  ]);
}

function contents(groups) {
  const links = [...groups].map(([tag, operations]) =>
    element("li", {}, [element("a", { href: `#tag-${tag}` }, [tag]), ` ${operations.length}`]));
  return element("nav", { "aria-label": "Tags" }, [element("ul", {}, links)]);
}

function section(api, tag, operations) {
  return element("section", { id: `tag-${tag}` }, [
    element("h2", {}, [tag]),
    ...operations.map((operation) => details(api, operation)),
  ]);
}

function details(api, operation) {
  const box = element("details", { id: operation.operationId, class: operation.deprecated ? "deprecated" : "" }, [
    element("summary", {}, [
      element("b", { class: `method ${operation.method}` }, [operation.method.toUpperCase()]),
      element("code", {}, [operation.path]),
      element("span", {}, [operation.summary ?? ""]),
    ]),
  ]);
  // A long document is on the screen at once: what is closed is not built yet.
  box.addEventListener("toggle", () => box.childElementCount > 1 || box.append(...parts(api, operation)));
  return box;
}

function parts(api, operation) {
  return [
    ...(operation.deprecated ? [element("p", { class: "warning" }, ["Deprecated."])] : []),
    ...(operation.description ? [element("p", { class: "text" }, [operation.description])] : []),
    ...(operation.security ? [element("p", {}, [`Needs ${who(operation.security)}.`])] : []),
    ...body(api, operation.requestBody),
    responses(api, operation.responses),
    tryForm(api, operation),
  ];
}

function who(security) {
  return security.map((names) => Object.keys(names).join(" and ") || "nothing").join(", or ");
}

function body(api, requestBody) {
  if (!requestBody) return [];
  const medias = Object.entries(requestBody.content);
  return [
    element("h3", {}, ["Body"]),
    element("p", {}, [medias.map(([media]) => media).join(" or "), requestBody.required ? "" : " (optional)"]),
    element("pre", {}, [schemaText(api, medias[0][1].schema)]),
  ];
}

function responses(api, all) {
  const rows = Object.entries(all).map(([status, answer]) => {
    const medias = Object.entries(answer.content ?? {});
    return element("tr", {}, [
      element("td", {}, [status]),
      element("td", {}, [answer.description]),
      element("td", {}, medias.map(([media, { schema }]) =>
        element("div", {}, [element("code", {}, [media]), ...(schema ? [element("pre", {}, [schemaText(api, schema)])] : [])]))),
    ]);
  });
  return element("div", {}, [element("h3", {}, ["Answers"]), element("table", {}, [element("tbody", {}, rows)])]);
}

function schemas(api) {
  const boxes = Object.entries(api.components?.schemas ?? {}).map(([name, schema]) =>
    element("details", { id: `schema-${name}` }, [
      element("summary", {}, [element("code", {}, [name])]),
      element("p", { class: "text" }, [schema.description ?? ""]),
      element("pre", {}, [schemaText(api, schema)]),
      element("pre", {}, [JSON.stringify(example(api, schema), null, 2)]),
    ]));
  return element("section", { id: "schemas" }, boxes.length ? [element("h2", {}, ["Schemas"]), ...boxes] : []);
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}

show().catch((error) => {
  main.removeAttribute("aria-busy");
  main.replaceChildren(element("p", { role: "alert", class: "warning" }, [`The document cannot be shown: ${error.message}`]));
});
