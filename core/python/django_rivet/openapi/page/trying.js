// A form for an operation, which sends the request and shows the answer.
import { credentials } from "./credentials.js";
import { element } from "./element.js";
import { example, limits, resolve, typeText } from "./schemas.js";

const JSON_TYPE = "application/json";
const MULTIPART = "multipart/form-data";
const MOST_SHOWN = 100_000; // characters

export function tryForm(api, operation) {
  const fields = [...(operation.parameters ?? []), ...formParameters(api, operation)]
    .filter((parameter) => parameter.in !== "cookie") // the browser's to send
    .map((parameter) => ({ parameter, input: field(api, parameter) }));
  const body = operation.requestBody?.content[JSON_TYPE];
  const text = body && element("textarea", { name: "body", rows: "8", spellcheck: "false", "aria-label": "Body" });
  if (text) text.value = JSON.stringify(example(api, body.schema), null, 2);
  const send = element("button", { type: "submit" }, ["Send"]);
  const stop = element("button", { type: "button", disabled: true }, ["Stop"]);
  const output = element("output", {});
  const form = element("form", {}, [
    element("h3", {}, ["Try it"]),
    ...fields.map(({ parameter, input }) => row(api, parameter, input)),
    ...(text ? [text] : []), send, stop, output,
  ]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const gone = new AbortController();
    stop.onclick = () => gone.abort();
    stop.disabled = false;
    run(request(api, operation, fields, text?.value, gone.signal), output).finally(() => (stop.disabled = true));
  });
  return form;
}

function formParameters(api, operation) {
  const media = operation.requestBody?.content[MULTIPART];
  if (!media) return [];
  const required = media.schema.required ?? [];
  return Object.entries(media.schema.properties).map(([name, schema]) =>
    ({ name, in: "form", schema, required: required.includes(name) }));
}

function field(api, parameter) {
  const schema = resolve(api, parameter.schema);
  if (isFile(schema) || isFile(schema.items)) {
    return element("input", { type: "file", name: parameter.name, required: parameter.required, multiple: schema.type === "array" });
  }
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
  if (choices) {
    const options = [...(parameter.required ? [] : [""]), ...choices];
    return element("select", { name: parameter.name }, options.map((each) => element("option", {}, [String(each)])));
  }
  const shown = schema.default === undefined ? "" : String(schema.default);
  return element("input", { name: parameter.name, placeholder: shown, required: parameter.required });
}

const isFile = (schema) => schema?.format === "binary";

function row(api, parameter, input) {
  const about = `${parameter.in}: ${typeText(api, parameter.schema)}${limits(resolve(api, parameter.schema))}`;
  return element("label", {}, [element("code", {}, [parameter.name]), parameter.required ? " *" : "", input,
    element("small", {}, [parameter.schema.type === "array" ? `${about}, parted by commas` : about])]);
}

function request(api, operation, fields, text, signal) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = new Headers(credentials(api, operation));
  const form = operation.requestBody?.content[MULTIPART] && new FormData();
  for (const { parameter, input } of fields) {
    for (const value of values(parameter, input)) {
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
      else if (parameter.in === "query") query.append(parameter.name, value);
      else if (parameter.in === "header") headers.set(parameter.name, value);
      else form.append(parameter.name, value);
    }
  }
  if (text) headers.set("Content-Type", JSON_TYPE);
  const address = query.size ? `${path}?${query}` : path;
  return new Request(address, { method: operation.method.toUpperCase(), headers, body: form ?? (text || undefined), signal });
}

function values(parameter, input) {
  if (input.type === "file") return [...input.files];
  if (!input.value) return [];
  return parameter.schema.type === "array" ? input.value.split(",") : [input.value];
}

async function run(asked, output) {
  const began = performance.now();
  const head = element("p", {}, [`${asked.method} ${asked.url} …`]);
  const text = element("pre", {});
  output.replaceChildren(head, text);
  try {
    const answer = await fetch(asked);
    const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    head.textContent = `${answer.status} ${answer.statusText}, ${Math.round(performance.now() - began)} ms`;
    output.insertBefore(element("pre", { class: "fields" }, [fields]), text);
    await read(answer, text);
  } catch (error) {
    text.append(error.name === "AbortError" ? "\n(stopped)" : `\n${error.message}`);
  }
}

// As it comes, so that events are seen when they happen.
async function read(answer, text) {
  const decoder = new TextDecoder();
  const isJson = /[/+]json\b/.test(answer.headers.get("content-type") ?? "");
  let all = "";
  for (const reader = answer.body?.getReader(); reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    all += decoder.decode(value, { stream: true });
    if (all.length > MOST_SHOWN) {
      await reader.cancel();
      all = `${all.slice(0, MOST_SHOWN)}\n(cut)`;
      break;
    }
    text.textContent = all;
  }
  text.textContent = all;
  if (isJson) try { text.textContent = JSON.stringify(JSON.parse(all), null, 2); } catch { /* shown as it is */ }
}
