// A form from control descriptions (see schema.js). Each control is a part: {element, get, set, child, report}.
//
// get() gives the value, or undefined where nothing is set, which is then not sent; it throws Invalid for what is no
// value at all. set(value) shows one; undefined empties. child(name) is the part of a member or an item.
// report(message) shows a message at the part, an empty one takes it away.

import { button, el, prose } from "./dom.js";
import { mediaPart } from "./media.js";
import { fits, range } from "./schema.js";
import { tablePart } from "./table.js";

export class Invalid extends Error {
  constructor(part, message) {
    super(message);
    this.part = part;
  }
}

const FEW = 6;
let ids = 0;

/** The whole form of a request: `primary` is the member that stands on top; `hidden` members have no control. */
export function requestForm(one, { primary, hidden = [], media }) {
  const fields = one.fields.filter((field) => !hidden.includes(field.name));
  const isMain = (field) => field.name === primary;
  const apart = (field) => field.name === "parameters" && field.control.kind === "object";
  const main = objectPart({ fields: fields.filter(isMain) }, { required: true, media, large: true });
  const inner = fields.find(apart);
  const groups = [main];
  if (inner) groups.push(group("Parameters", inner.control, { required: inner.required, media, name: inner.name }));
  const rest = fields.filter((field) => !isMain(field) && !apart(field));
  if (rest.length) groups.push(group(inner ? "Options" : "Parameters", { fields: rest }, { required: true, media }));
  const part = {
    element: el("div", { className: "request" }, ...groups.map((one) => one.element)),
    get: () => Object.assign({}, ...groups.map((one) => (one.name ? named(one.name, one.get()) : one.get()))),
    set: (value) => groups.forEach((one) => one.set(one.name ? value?.[one.name] : value)),
    child: (name) =>
      groups.find((one) => one.name === name) ?? groups.map((one) => !one.name && one.child(name)).find(Boolean),
  };
  return { ...part, ...errors(part) };
}

const named = (name, value) => (value === undefined ? {} : { [name]: value });

/** A section that folds if it holds much that nobody must fill in. */
function group(title, one, { required, media, name }) {
  const part = objectPart(one, { required, media });
  const needed = one.fields.some((field) => field.required);
  const fold = el("details", { className: "group", open: needed || one.fields.length <= FEW });
  const message = el("p", { className: "error", hidden: true, role: "alert" });
  fold.append(el("summary", { textContent: `${title} (${one.fields.length})` }), message, part.element);
  return { ...part, name, element: fold, report: reporter(fold, message), set: opening(fold, part.set) };
}

/** Opens `fold` when a value is set in it. */
function opening(fold, set) {
  return (value) => {
    set(value);
    if (fold.querySelector("[data-set]")) fold.open = true;
  };
}

/** How messages come to the parts that they are about, until `clear()`: `say(part, message)`, and
 * `show([{field: [names], message}])`, which gives those that found no place. */
function errors(root) {
  const shown = [];
  function say(part, message) {
    part.report(message);
    shown.push(part);
  }
  return {
    clear: () => shown.splice(0).forEach((part) => part.report("")),
    say,
    show(found) {
      const homeless = [];
      for (const { field, message } of found) {
        let part = root;
        let place;
        for (const name of field) {
          part = part.child?.(name);
          if (!part) break;
          if (part.report) place = part;
        }
        if (place) say(place, message);
        else homeless.push(message);
      }
      shown[0]?.focus?.();
      return homeless;
    },
  };
}

/** What shows a message in `line`, at the `control` if there is one, and unfolds all that would hide it. */
function reporter(element, line, control) {
  return (message) => {
    line.textContent = message;
    line.hidden = !message;
    element.classList.toggle("wrong", Boolean(message));
    if (control && message) control.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
    for (let up = element; message && up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  };
}

/** A part with its name, what it means, and room for a message. */
function row(name, one, options) {
  const id = `f${++ids}`;
  const part = build(one, { ...options, id, name });
  const line = el("p", { className: "error", id: `${id}-error`, hidden: true, role: "alert" });
  const doc = el("p", { className: "doc", id: `${id}-doc` }, ...prose(one.doc));
  const label = part.control
    ? el("label", { for: id, textContent: name, className: "name" })
    : el("span", { id: `${id}-name`, textContent: name, className: "name" });
  part.control?.setAttribute("aria-describedby", `${id}-doc ${id}-error`);
  const head = el(
    "div",
    { className: "head" },
    label,
    options.required ? el("span", { className: "must", textContent: "required" }) : "",
  );
  const element = el(
    "div",
    { className: `field is-${one.kind}`, role: part.control ? undefined : "group" },
    head,
    doc,
    part.element,
    line,
  );
  if (!part.control) element.setAttribute("aria-labelledby", `${id}-name`);
  element.dataset.field = name;
  part.element = element;
  part.report = reporter(element, line, part.control);
  part.focus = () => (part.control ?? element.querySelector("input, textarea, select, button"))?.focus();
  return part;
}

function build(one, options) {
  const part = (PARTS[one.kind] ?? PARTS.json)(one, options);
  return LEAVES.has(one.kind) ? kept(part) : part;
}

const LEAVES = new Set(["text", "number", "boolean", "select", "constant", "json"]);

/** Gives back exactly what was set (null, "", 1e3) until somebody edits it. */
function kept(part) {
  const { get, set, element } = part;
  let known;
  const mark = (given) => element.toggleAttribute("data-set", given);
  element.addEventListener("input", (event) => {
    known = undefined;
    mark(event.target.value !== "");
  });
  part.get = () => (known ? known.value : get());
  part.set = (value) => {
    set(value);
    known = value === undefined ? undefined : { value };
    mark(known !== undefined);
  };
  return part;
}

const byDefault = (one) => (one.default === undefined || one.default === null ? "" : `default: ${one.default}`);
const unset = (one) => (byDefault(one) ? `not set (${byDefault(one)})` : "not set");

const PARTS = {
  text(one, { id, required, large }) {
    const control = el("textarea", { id, rows: large ? 4 : 1, placeholder: byDefault(one), spellcheck: false });
    return {
      element: control,
      control,
      get: () => (control.value === "" && !required ? undefined : control.value),
      set: (value) => (control.value = value ?? ""),
    };
  },
  number(one, { id }) {
    const placeholder = byDefault(one) || range(one);
    const control = el("input", { id, type: "number", step: one.integer ? "1" : "any", placeholder });
    if (one.min !== undefined) control.min = one.min;
    if (one.max !== undefined) control.max = one.max;
    const part = {
      element: control,
      control,
      get() {
        if (control.validity.badInput) throw new Invalid(part, "is no number");
        const value = control.value === "" ? undefined : Number(control.value);
        if (Number.isInteger(value) && !Number.isSafeInteger(value))
          throw new Invalid(part, "has more digits than this page can send");
        return value;
      },
      set: (value) => (control.value = value ?? ""),
    };
    return part;
  },
  boolean(one, options) {
    const values = [
      { value: true, doc: "" },
      { value: false, doc: "" },
    ];
    if (!options.required) return PARTS.select({ ...one, options: values }, options);
    const control = el("input", { id: options.id, type: "checkbox" });
    return {
      element: control,
      control,
      get: () => control.checked,
      set: (value) => (control.checked = value === true),
    };
  },
  select(one, { id, required }) {
    const doc = el("p", { className: "doc" });
    const control = el("select", { id }, required ? "" : el("option", { value: "", textContent: unset(one) }));
    one.options.forEach(({ value }, i) =>
      control.append(el("option", { value: String(i), textContent: String(value) })),
    );
    const explain = () => doc.replaceChildren(...prose(one.options[control.value]?.doc ?? ""));
    control.addEventListener("input", explain);
    return {
      element: one.options.some((option) => option.doc) ? Object.assign(el("div", {}, control, doc)) : control,
      control,
      get: () => one.options[control.value]?.value,
      set(value) {
        const at = one.options.findIndex((option) => option.value === value);
        control.value = at >= 0 ? String(at) : required ? "0" : "";
        explain();
      },
    };
  },
  constant(one, options) {
    if (!options.required) return PARTS.select({ ...one, options: [{ value: one.value }] }, options);
    return { element: el("code", { textContent: String(one.value) }), get: () => one.value, set() {} };
  },
  media: (one, options) => mediaPart(one, options),
  table: (one, options) => tablePart(one, options, Invalid),
  object: (one, options) => objectPart(one, options),
  list: listPart,
  choice: choicePart,
  json(one, { id }) {
    const control = el("textarea", { id, rows: 3, className: "code", spellcheck: false, placeholder: "JSON" });
    const part = {
      element: control,
      control,
      get() {
        try {
          return control.value.trim() === "" ? undefined : JSON.parse(control.value);
        } catch (error) {
          throw new Invalid(part, `is no JSON: ${error.message}`);
        }
      },
      set: (value) => (control.value = value === undefined ? "" : JSON.stringify(value, null, 2)),
    };
    return part;
  },
};

function objectPart(one, { required, media, large, nested }) {
  const rows = one.fields.map((field) => ({
    ...field,
    part: row(field.name, field.control, {
      required: field.required,
      media,
      large: large && field.required,
      nested: true,
    }),
  }));
  const visible = rows.filter(({ required, control }) => !(required && control.kind === "constant"));
  let element = el("div", { className: "fields" }, ...visible.map(({ part }) => part.element));
  let open = (set) => set;
  if (nested && !required && rows.length > FEW) {
    const fold = el("details", {}, el("summary", { textContent: `${rows.length} fields` }), element);
    element = fold;
    open = (set) => opening(fold, set);
  }
  return {
    element,
    get() {
      const value = {};
      for (const { name, part } of rows) {
        const member = part.get();
        if (member !== undefined) value[name] = member;
      }
      const given = Object.keys(value).length > 0;
      return given || required ? value : undefined;
    },
    set: open((value) => rows.forEach(({ name, part }) => part.set(value?.[name]))),
    child: (name) => rows.find((row) => row.name === name)?.part,
  };
}

function listPart(one, { required, media, large }) {
  const box = el("div", { className: "items" });
  let parts = [];
  const number = () => parts.forEach((part, i) => (part.title.textContent = String(i + 1)));
  function add(value) {
    const id = `f${++ids}`;
    const part = build(one.items, {
      id,
      required: true,
      media,
      large: large && one.items.kind !== "text",
      nested: true,
    });
    const title = el("span", { className: "number", "aria-hidden": true });
    const line = el("p", { className: "error", hidden: true, role: "alert" });
    const remove = button(
      "×",
      () => {
        drop(part);
        changed();
      },
      { className: "quiet", "aria-label": "remove this item" },
    );
    const item = el("div", { className: "item" }, title, el("div", { className: "what" }, part.element, line), remove);
    part.control?.setAttribute("aria-label", "item");
    Object.assign(part, {
      item,
      title,
      report: reporter(item, line, part.control),
      focus: () => item.querySelector("input, textarea, select")?.focus(),
    });
    parts.push(part);
    box.append(item);
    part.set(value);
    number();
    return part;
  }
  function drop(part) {
    part.item.remove();
    parts = parts.filter((other) => other !== part);
    number();
  }
  const changed = () => box.dispatchEvent(new Event("input", { bubbles: true }));
  box.addEventListener("keydown", (event) => {
    // Enter makes the next item, as in a list of labels; Shift+Enter a new line.
    // The Enter that ends the writing of a character (isComposing) is none of ours.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (event.target.tagName !== "TEXTAREA" || one.items.kind !== "text") return;
    event.preventDefault();
    add().focus();
  });
  const more = button(
    "Add",
    () => {
      add().focus();
      changed();
    },
    { className: "quiet" },
  );
  const part = {
    element: el("div", { className: `list of-${one.items.kind}` }, box, more),
    get() {
      const value = parts.map((part) => part.get()).filter((item) => item !== undefined);
      return value.length || required ? value : undefined;
    },
    set(value) {
      [...parts].forEach(drop);
      const items = Array.isArray(value) ? value : required ? Array(Math.max(1, one.min)).fill(undefined) : [];
      items.forEach(add);
      box.toggleAttribute("data-set", Array.isArray(value));
    },
    child: (index) => parts[Number(index)],
  };
  part.set(undefined);
  return part;
}

function choicePart(one, { required, media, large, id }) {
  const slot = el("div", { className: "variant" });
  const control = el(
    "select",
    { "aria-label": "kind of value" },
    required ? "" : el("option", { value: "", textContent: unset(one) }),
  );
  one.variants.forEach(({ label }, i) => control.append(el("option", { value: String(i), textContent: label })));
  let part;
  function choose(at, value) {
    control.value = at;
    part =
      at === ""
        ? undefined
        : build(one.variants[at], { id: `${id ?? "f"}-${++ids}`, required: true, media, large, nested: true });
    if (part) part.report = (message) => made.report(message);
    part?.set(value);
    part?.control?.setAttribute("aria-label", one.variants[at].label);
    slot.replaceChildren(...(part ? [part.element] : []));
    slot.toggleAttribute("data-set", value !== undefined);
  }
  control.addEventListener("input", () => choose(control.value));
  const made = {
    element: el("div", { className: "choice" }, control, slot),
    get: () => part?.get(),
    set(value) {
      const at = one.variants.findIndex((variant) => fits(variant, value));
      choose(
        value === undefined || value === null ? (required ? "0" : "") : String(Math.max(at, 0)),
        value ?? undefined,
      );
    },
    child: (name) => part?.child?.(name),
  };
  made.set(undefined);
  return made;
}
