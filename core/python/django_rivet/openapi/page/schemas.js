// JSON Schemas as a person reads them, and examples of them.
const DEEPEST = 6;

export function resolve(api, schema) {
  return schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : (schema ?? {});
}

// One line for a value, a block for an object.
export function schemaText(api, schema, indent = "") {
  const known = resolve(api, schema);
  if (known.properties && !schema.$ref) return objectText(api, known, indent);
  if (known.properties && indent === "") return objectText(api, known, indent);
  return typeText(api, schema) + limits(known);
}

function objectText(api, schema, indent) {
  const required = schema.required ?? [];
  const lines = Object.entries(schema.properties).map(([name, value]) => {
    const optional = required.includes(name) ? "" : "?";
    const without = value.default === undefined ? "" : ` = ${JSON.stringify(value.default)}`;
    return `${indent}  ${name}${optional}: ${schemaText(api, value, `${indent}  `)}${without}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

export function typeText(api, schema) {
  if (schema?.$ref) return schema.$ref.split("/").pop();
  if (!schema || Object.keys(schema).length === 0) return "anything";
  if (schema.anyOf) return schema.anyOf.map((each) => typeText(api, each)).join(" | ");
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.type === "array") return `[${schema.items ? typeText(api, schema.items) : "anything"}]`;
  if (schema.type === "object" && schema.additionalProperties) return `{name: ${typeText(api, schema.additionalProperties)}}`;
  return schema.format ?? [schema.type ?? "anything"].flat().join(" | ");
}

export function limits(schema) {
  const words = {
    minimum: "≥", exclusiveMinimum: ">", maximum: "≤", exclusiveMaximum: "<", multipleOf: "multiple of",
    minLength: "length ≥", maxLength: "length ≤", minItems: "items ≥", maxItems: "items ≤", pattern: "like",
  };
  const found = Object.keys(words).filter((name) => name in schema).map((name) => `${words[name]} ${schema[name]}`);
  return found.length ? ` (${found.join(", ")})` : "";
}

export function example(api, schema, depth = 0) {
  const known = resolve(api, schema);
  if (known.default !== undefined) return known.default;
  if (known.examples) return known.examples[0];
  if (known.enum) return known.enum[0];
  if (known.anyOf) return example(api, known.anyOf[0], depth);
  switch ([known.type].flat()[0]) {
    case "object": {
      const entries = depth > DEEPEST ? [] : Object.entries(known.properties ?? {});
      return Object.fromEntries(entries.map(([name, value]) => [name, example(api, value, depth + 1)]));
    }
    case "array": return depth > DEEPEST || !known.items ? [] : [example(api, known.items, depth + 1)];
    case "integer":
    case "number": return known.minimum ?? (known.exclusiveMinimum ?? -1) + 1;
    case "boolean": return false;
    case "null": return null;
    case "string": return text(known);
    default: return null;
  }
}

function text(schema) {
  const now = new Date().toISOString();
  const known = { "date-time": now, date: now.slice(0, 10), uuid: "00000000-0000-4000-8000-000000000000" };
  return known[schema.format] ?? "text".padEnd(schema.minLength ?? 0, "x").slice(0, schema.maxLength ?? undefined);
}
