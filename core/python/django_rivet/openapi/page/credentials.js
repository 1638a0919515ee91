// What says who sends the requests that are tried. It is kept in this page alone, and gone with it.
import { element } from "./element.js";

const typed = new Map();

// Cookies are the browser's to send, and the CSRF token is read from one.
export function credentialFields(schemes) {
  const asked = Object.entries(schemes).filter(([name, scheme]) => name !== "csrf" && scheme.in !== "cookie");
  if (!asked.length) return "";
  const fields = asked.map(([name, scheme]) => {
    const input = element("input", { type: "password", autocomplete: "off", name });
    input.addEventListener("input", () => typed.set(name, input.value));
    const kind = scheme.type === "http" ? scheme.scheme : scheme.name;
    return element("label", {}, [`${name} (${kind})`, input]);
  });
  return element("fieldset", { id: "credentials" }, [element("legend", {}, ["Who you are"]), ...fields]);
}

// The header fields for an operation: of each scheme that it takes and that was typed in.
export function credentials(api, operation) {
  const headers = {};
  const names = new Set((operation.security ?? []).flatMap((each) => Object.keys(each)));
  for (const name of names) {
    const scheme = api.components.securitySchemes[name];
    if (name === "csrf") headers[scheme.name] = csrfToken();
    else if (typed.get(name) && scheme.type === "http") headers.Authorization = `Bearer ${typed.get(name)}`;
    else if (typed.get(name) && scheme.in === "header") headers[scheme.name] = typed.get(name);
  }
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
}

function csrfToken() {
  const prefix = `${document.documentElement.dataset.csrfCookie}=`;
  const found = document.cookie.split("; ").find((each) => each.startsWith(prefix));
  return found ? decodeURIComponent(found.slice(prefix.length)) : "";
}
