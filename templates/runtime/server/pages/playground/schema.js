// What a JSON Schema asks for, as a description of the control to fill it in with. Pure: no page is needed for this.
//
// A control description has a `kind`:
//   text · number (integer, min, max, exclusive) · boolean · select (options) · constant (value) · media (media, accept)
//   · object (fields: name, required, control) · list (items, min, max) · choice (variants) · table (columns, cell)
//   · json: whatever else there is, typed in as JSON
// and besides `title`, `doc`, `default` and `nullable`.

const DEEP = 8;
const ANNOTATIONS = ["title", "description", "default", "examples", "deprecated"];

/** The control for `schema`, whose references are looked up in `root.$defs`. */
export function control(schema, root, depth = 0) {
  const found = flat(schema, root);
  const about = { title: found.title, doc: found.description, default: found.default, nullable: false };
  if (depth > DEEP) return { ...about, kind: "json" };
  return { ...about, ...shape(found, root, depth) };
}

/** A schema without references and with its `allOf` taken together, as far as a form is concerned. */
export function flat(schema, root) {
  let found = schema === true ? {} : schema;
  for (let hops = 0; found.$ref && hops < 50; hops++) {
    const { $ref, ...beside } = found;
    found = { ...root.$defs[$ref.split("/").pop()], ...beside };
  }
  if (found.allOf) {
    const { allOf, ...beside } = found;
    const parts = [
      ...allOf.map((part) => flat(part, root)).filter((part) => part.type || part.properties || part.enum),
      beside,
    ];
    const properties = Object.assign({}, ...parts.map((part) => part.properties));
    const required = parts.flatMap((part) => part.required ?? []);
    found = Object.assign({}, ...parts, Object.keys(properties).length ? { properties, required } : {});
  }
  return found;
}

function shape(schema, root, depth) {
  const variants = schema.oneOf ?? (schema.properties ? undefined : schema.anyOf);
  if (variants && !schema.enum)
    return union(
      variants.map((one) => flat(one, root)),
      schema,
      root,
      depth,
    );
  if ("const" in schema) return { kind: "constant", value: schema.const };
  if (schema.enum) return options(schema.enum.map((value) => ({ value })));
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const known = types.filter((type) => type !== "null");
  if (known.length > 1)
    return union(
      known.map((type) => ({ ...bare(schema), type })),
      schema,
      root,
      depth,
    );
  const nullable = types.includes("null");
  return { nullable, ...(SHAPES[known[0]] ?? (() => ({ kind: "json" })))(schema, root, depth) };
}

function bare(schema) {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !ANNOTATIONS.includes(key)));
}

function options(found) {
  return found.length === 1 && found[0].value !== null
    ? { kind: "constant", value: found[0].value }
    : {
        kind: "select",
        options: found.filter((option) => option.value !== null),
        nullable: found.some((o) => o.value === null),
      };
}

/** Choices: of values if all are values, else of controls. */
function union(variants, schema, root, depth) {
  const rest = variants.filter((one) => one.type !== "null" && one.const !== null);
  const nullable = rest.length < variants.length;
  const values = rest.map(valuesOf);
  if (values.every(Boolean)) return { nullable, ...options(values.flat()), ...(nullable ? { nullable } : {}) };
  if (rest.length === 1)
    return { ...control(rest[0], root, depth), doc: schema.description ?? rest[0].description, nullable };
  const found = rest
    .map((one) => control(one, root, depth + 1))
    .flatMap((one) => (one.kind === "choice" ? one.variants : [one]));
  return { kind: "choice", nullable, variants: named(found) };
}

/** The values of a schema that allows only these, else nothing. */
function valuesOf(schema) {
  if ("const" in schema) return [{ value: schema.const, doc: schema.description }];
  if (schema.enum) return schema.enum.map((value) => ({ value }));
  if (schema.type === "boolean") return [{ value: true }, { value: false }];
  return undefined;
}

/** Each variant with a `label` that tells it from the others. */
function named(variants) {
  const labels = variants.map((one) => {
    const mark =
      one.kind === "object" && one.fields.find((field) => field.required && field.control.kind === "constant");
    return mark
      ? String(mark.control.value)
      : (one.title ?? { list: "list", object: "object", json: "JSON" }[one.kind] ?? one.kind);
  });
  return variants.map((one, i) => ({
    ...one,
    label: labels.indexOf(labels[i]) === i ? labels[i] : `${labels[i]} ${i + 1}`,
  }));
}

const SHAPES = {
  boolean: () => ({ kind: "boolean" }),
  null: () => ({ kind: "constant", value: null }),
  number: (schema) => ({ kind: "number", integer: false, ...bounds(schema) }),
  integer: (schema) => ({ kind: "number", integer: true, ...bounds(schema) }),
  string: (schema) =>
    schema.contentEncoding === "base64"
      ? {
          kind: "media",
          accept: schema.contentMediaType ?? "*/*",
          media: (schema.contentMediaType ?? "").split("/")[0],
        }
      : { kind: "text" },
  array: (schema, root, depth) => {
    if (schema.prefixItems || !schema.items || typeof schema.items === "boolean") return { kind: "json" };
    const items = flat(schema.items, root);
    const cell = items.type === "array" && items.items && cellOf(items.items, root);
    if (cell) return { kind: "table", columns: false, cell };
    return {
      kind: "list",
      items: control(schema.items, root, depth + 1),
      min: schema.minItems ?? 0,
      max: schema.maxItems,
    };
  },
  object: (schema, root, depth) => {
    const required = schema.required ?? [];
    if (!schema.properties) {
      const values = schema.additionalProperties && flat(schema.additionalProperties, root);
      const cell = values && values.type === "array" && values.items && cellOf(values.items, root);
      return cell ? { kind: "table", columns: true, cell } : { kind: "json" };
    }
    const fields = Object.entries(schema.properties).map(([name, one]) => ({
      name,
      required: required.includes(name),
      control: control(one, root, depth + 1),
    }));
    return { kind: "object", fields };
  },
};

/** What a cell of a table may be, if it is one value: `{text, number, boolean, null}`, else nothing. */
function cellOf(schema, root) {
  const found = flat(schema, root);
  const all = (found.anyOf ?? found.oneOf ?? [].concat(found.type).map((type) => ({ type }))).map(
    (one) => flat(one, root).type,
  );
  if (!all.every((type) => ["string", "number", "integer", "boolean", "null"].includes(type))) return undefined;
  const number = all.includes("number") || all.includes("integer");
  return { text: all.includes("string"), number, boolean: all.includes("boolean"), null: all.includes("null") };
}

function bounds(schema) {
  return {
    min: schema.minimum ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.exclusiveMaximum,
    exclusive: schema.exclusiveMinimum !== undefined || schema.exclusiveMaximum !== undefined,
  };
}

/** "0 to 1", "at least 3", or nothing. */
export function range(one) {
  if (one.kind !== "number") return "";
  if (one.min !== undefined && one.max !== undefined)
    return one.exclusive ? `between ${one.min} and ${one.max}` : `${one.min} to ${one.max}`;
  if (one.min !== undefined) return one.exclusive ? `above ${one.min}` : `at least ${one.min}`;
  return one.max !== undefined ? `at most ${one.max}` : "";
}

/** Whether a control can show `value`; what it shows in detail is not looked at. */
export function fits(one, value) {
  if (value === null && one.nullable) return true;
  const object = typeof value === "object" && value !== null && !Array.isArray(value);
  switch (one.kind) {
    case "text":
    case "media":
      return typeof value === "string";
    case "number":
      return typeof value === "number" && (!one.integer || Number.isInteger(value));
    case "boolean":
      return typeof value === "boolean";
    case "constant":
      return one.value === value;
    case "select":
      return one.options.some((option) => option.value === value);
    case "list":
      return Array.isArray(value) && value.every((item) => fits(one.items, item));
    case "table":
      return one.columns
        ? object && Object.values(value).every(Array.isArray)
        : Array.isArray(value) && value.every(Array.isArray);
    case "choice":
      return one.variants.some((variant) => fits(variant, value));
    case "object":
      return (
        object &&
        one.fields.every(({ name, required, control }) => (name in value ? fits(control, value[name]) : !required)) &&
        Object.keys(value).every((name) => one.fields.some((field) => field.name === name))
      );
    default:
      return true;
  }
}

/** What a cell's text stands for. */
export function cellValue(text, cell) {
  if (text === "" && cell.null) return null;
  if (cell.boolean && (text === "true" || text === "false")) return text === "true";
  if (cell.number && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

/** A path as the server names it ("inputs.rows[2].x", "inputs.rows.2.x") as a list of names. */
export function path(name) {
  return name
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((part) => part !== "" && part !== "$");
}
