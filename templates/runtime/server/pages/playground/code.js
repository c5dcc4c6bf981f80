// "Code for this call": the programs of the docs with what stands in the form. The generator has rendered each program
// with marks like ⟦url⟧ where values go; here they are filled in.

import { bareFile, route } from "./call.js";
import { copyButton, el } from "./dom.js";
import { go, java, javascript, json, php, phpArray, python, shell } from "./literals.js";
import { MediaFile } from "./media.js";
import { tabs } from "./tabs.js";

const HOLE = "\0"; // in JSON text, where the base64 of a file goes
const LONG = 60;
const CHOSEN = "playground-language";

const inline = (members) => `{${members.map(([key, item]) => `${json(key)}: ${item}`).join(", ")}}`;
const lines = (step, comma) => (members) =>
  `{\n${members.map(([key, item]) => `${" ".repeat(step)}${json(key)}: ${item}`).join(",\n")}${comma}\n}`;
const format = (text) => text.replaceAll("%", "%%").replaceAll(HOLE, "%s");
const hole = () => `"${HOLE}"`;

function shellText(text, files) {
  const [first, ...rest] = text.split(HOLE).map((piece) => `printf '%s' ${shell(piece)}`);
  return [first, ...rest.map((piece, i) => `base64 < ${files[i]} | tr -d '\\n'\n${piece}`)].join("\n");
}

// How each language writes a text, a JSON value, the base64 of a file, an object on one line, one on several, and, where
// a request is JSON text with holes for files, the expression of that.
const LANGUAGES = {
  curl: {
    literal: shell,
    value: json,
    base64: hole,
    object: inline,
    lines: lines(2, ""),
    text: (text, files) => (files.length ? shellText(text, files) : text),
  },
  client: { literal: python, value: python, base64: (file) => file, object: inline },
  httpx: {
    literal: python,
    value: python,
    base64: (file) => `base64.b64encode(Path(${file}).read_bytes()).decode()`,
    object: inline,
    lines: lines(4, ","),
  },
  javascript: {
    literal: javascript,
    value: javascript,
    base64: (file) => `await readFile(${file}, "base64")`,
    object: inline,
    lines: lines(2, ","),
  },
  java: {
    literal: java,
    value: json,
    base64: hole,
    object: inline,
    lines: lines(2, ""),
    text: (text, files) =>
      files.length
        ? `${java(format(text))}.formatted(${files.map((file) => `base64(${file})`).join(", ")})`
        : java(text),
  },
  php: {
    literal: php,
    value: php,
    base64: (file) => `base64_encode(file_get_contents(${file}))`,
    object: phpArray,
    lines: (members) => phpArray(members, ",\n    ", "\n    ").replace(/\n {4}\]$/, ",\n]"),
  },
  go: {
    literal: go,
    value: json,
    base64: hole,
    object: inline,
    lines: lines(2, ""),
    text: (text, files) =>
      files.length
        ? `fmt.Sprintf(${go(format(text))}, ${files.map((file) => `encoded(${file})`).join(", ")})`
        : go(text),
  },
};

/** The program that sends `request` for `task` to the server at `base`. `language` is one of the manifest's; `model` is
 * the name of one that is not the task's first. */
export function program(language, task, request, base, model) {
  const words = LANGUAGES[language.id];
  const files = [];
  const expression = (value) => {
    if (value instanceof MediaFile) return words.base64(files[files.push(words.literal(value.name)) - 1]);
    if (!holds(value)) return words.value(value);
    return Array.isArray(value)
      ? `[${value.map(expression).join(", ")}]`
      : words.object(Object.entries(value).map(([key, item]) => [key, expression(item)]));
  };
  if (language.id === "client") {
    return fill(task.client, {
      base: words.literal(base),
      arguments: wrapped([...callArguments(task, request, expression), ...(model ? [`model=${python(model)}`] : [])]),
    });
  }
  const bare = bareFile(request, task);
  const members = bare ? [] : Object.entries(request).map(([key, value]) => [key, expression(value)]);
  const text = (words.text && files.length ? words.object : words.lines)(members);
  return fill(language.code[bare ? "file" : files.length ? "base64" : "json"], {
    url: words.literal(`${base}/${route(task, model)}`),
    type: bare && (/^[\w.+-]+\/[\w.+-]+$/.test(bare.blob.type) ? bare.blob.type : "application/octet-stream"),
    file: bare && words.literal(bare.name),
    upload: bare && shell(`@${bare.name}`),
    payload: words.text ? words.text(text, files) : text,
  });
}

const holds = (value) =>
  value instanceof MediaFile || (typeof value === "object" && value !== null && Object.values(value).some(holds));

/** The arguments of the client's method: the input, then keywords. */
function callArguments(task, request, expression) {
  const out = task.primary in request ? [expression(request[task.primary])] : [];
  const keyword = ([name, value]) => out.push(`${task.keywords[name] ?? name}=${expression(value)}`);
  for (const [name, value] of Object.entries(request)) {
    if (name === "parameters" && name !== task.primary) Object.entries(value).forEach(keyword);
    else if (name !== task.primary) keyword([name, value]);
  }
  return out;
}

function wrapped(given) {
  const line = given.join(", ");
  return [...line].length <= LONG ? line : `${given.map((one) => `\n        ${one},`).join("")}\n    `;
}

/** `code` with its marks filled in. Where a value may take several lines, a second mark shows how far they go in. */
function fill(code, values) {
  return code.replace(/⟦(\w+)⟧(?:\n([ \t]*)⟦more⟧)?/g, (_, name, indent) =>
    indent ? values[name].replaceAll("\n", `\n${indent}`) : values[name],
  );
}

/** The part of the page with the programs, which `update(request, model, streamed)` writes anew. Without a request, as
 * what stands in the form is none, they are the last ones, and out of use. */
export function codePanel(manifest, task) {
  const base = new URL(".", location.href).href.replace(/\/$/, "");
  const texts = manifest.languages.map(() => el("pre", { className: "code", tabIndex: 0 }));
  const panes = manifest.languages.map(({ label }, i) => [
    label,
    el(
      "div",
      { className: "with-copy" },
      copyButton(texts[i]),
      texts[i],
    ),
  ]);
  const last = manifest.languages.findIndex((language) => language.id === sessionStorage.getItem(CHOSEN));
  const chosen = (at) => sessionStorage.setItem(CHOSEN, manifest.languages[at].id);
  const shown = tabs("Code for this call", panes, { start: Math.max(0, last), chosen });
  const note = el("p", { className: "doc" });
  return {
    element: el(
      "section",
      { className: "card", "aria-label": "Code for this call" },
      el("h2", { textContent: "Code for this call" }),
      note,
      shown.element,
    ),
    update(request, model, streamed) {
      shown.element.inert = !request;
      note.textContent = !request
        ? "Something in the form is wrong: this is the code from before."
        : streamed
          ? 'This asks for one whole answer; to show it as it comes, the form also sends "stream": true.'
          : "";
      if (!request) return;
      manifest.languages.forEach(
        (language, i) => (texts[i].textContent = program(language, task, request, base, model)),
      );
    },
  };
}
