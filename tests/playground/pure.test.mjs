// What needs no page: run by `node --test`, see test_code.py. PAGES is the folder of the playground's files.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(new URL(name, pathToFileURL(`${process.env.PAGES}/`)));
const { cellValue, control, fits, path, range } = await load("schema.js");
const { addition, bareFile, encoded, events, route } = await load("call.js");
const { MediaFile, size } = await load("media.js");
const { clock, cut, timed } = await load("outputs.js");
const { figure, items, labelOf, mediaType, scoreOf } = await load("values.js");
const { boxOf } = await load("overlay.js");
const { proseParts } = await load("dom.js");
const { wav } = await load("record.js");

const of = (schema, $defs = {}) => control(schema, { $defs });
const kinds = (schema, $defs) => of(schema, $defs).kind;

test("each type has its control", () => {
  assert.equal(kinds({ type: "string" }), "text");
  assert.equal(kinds({ type: "boolean" }), "boolean");
  assert.equal(kinds({ enum: ["a", "b"] }), "select");
  assert.equal(kinds({ const: "a" }), "constant");
  assert.equal(kinds({ type: "array", items: { type: "string" } }), "list");
  assert.equal(kinds({ type: "array", prefixItems: [{ type: "string" }] }), "json");
  assert.equal(kinds({ type: "object" }), "json");
  assert.equal(kinds({}), "json");
  assert.equal(kinds(true), "json");
  assert.deepEqual(of({ type: "string", contentEncoding: "base64", contentMediaType: "audio/*" }).media, "audio");
  assert.deepEqual(of({ type: "integer", minimum: 1, exclusiveMaximum: 9 }), {
    title: undefined,
    doc: undefined,
    default: undefined,
    nullable: false,
    kind: "number",
    integer: true,
    min: 1,
    max: 9,
    exclusive: true,
  });
});

test("references keep what is said beside them, and do not run in circles", () => {
  const node = { type: "object", properties: { next: { $ref: "#/$defs/Node" } } };
  const made = of({ $ref: "#/$defs/Node", description: "the first" }, { Node: { ...node, description: "any" } });
  assert.equal(made.doc, "the first");
  let depth = 0;
  for (let one = made; one.kind === "object"; one = one.fields[0].control) depth++;
  assert.ok(depth > 3 && depth < 20);
});

test("allOf is one object", () => {
  const made = of({
    allOf: [
      { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      { anyOf: [{ required: ["a"] }] },
    ],
  });
  assert.deepEqual(
    made.fields.map(({ name, required }) => [name, required]),
    [["a", true]],
  );
});

test("allOf puts the members of all its parts together", () => {
  const part = (name) => ({ type: "object", properties: { [name]: { type: "string" } }, required: [name] });
  const made = of({ allOf: [part("a"), { $ref: "#/$defs/B" }], properties: { c: true } }, { B: part("b") });
  assert.deepEqual(
    made.fields.map(({ name, required }) => [name, required]),
    [
      ["a", true],
      ["b", true],
      ["c", false],
    ],
  );
});

test("null makes a control nullable, not a choice", () => {
  assert.deepEqual(
    [
      of({ anyOf: [{ type: "string" }, { type: "null" }] }).kind,
      of({ anyOf: [{ type: "string" }, { type: "null" }] }).nullable,
    ],
    ["text", true],
  );
  assert.deepEqual(
    [of({ type: ["integer", "null"] }).kind, of({ type: ["integer", "null"] }).nullable],
    ["number", true],
  );
});

test("a choice of values is one select, with what each means", () => {
  const made = of({ anyOf: [{ type: "boolean" }, { type: "string", enum: ["never"] }] });
  assert.deepEqual(
    made.options.map((option) => option.value),
    [true, false, "never"],
  );
  const told = of({ type: "string", oneOf: [{ const: "a", description: "first" }, { const: "b" }] });
  assert.deepEqual(told.options, [
    { value: "a", doc: "first" },
    { value: "b", doc: undefined },
  ]);
});

test("a choice of objects is named by what tells them apart", () => {
  const message = (role) => ({
    type: "object",
    properties: { role: { enum: [role] }, content: { type: "string" } },
    required: ["role", "content"],
  });
  const made = of({ anyOf: [message("user"), message("tool"), { type: "string" }, { type: "string" }] });
  assert.deepEqual(
    made.variants.map((one) => one.label),
    ["user", "tool", "text", "text 4"],
  );
  const at = (value) => made.variants.findIndex((one) => fits(one, value));
  assert.deepEqual(
    [
      at({ role: "tool", content: "x" }),
      at({ role: "user", content: "x" }),
      at("x"),
      at({ role: "else", content: "" }),
    ],
    [1, 0, 2, -1],
  );
});

test("a map of columns and a list of rows are tables", () => {
  const cells = { type: "array", items: { anyOf: [{ type: "number" }, { type: "string" }] } };
  assert.deepEqual(of({ type: "object", additionalProperties: cells }).cell, {
    text: true,
    number: true,
    boolean: false,
    null: false,
  });
  assert.equal(of({ type: "array", items: cells }).columns, false);
  assert.equal(kinds({ type: "array", items: { type: "array", items: { type: "object" } } }), "list");
});

test("a cell is what its text stands for, where the schema allows that", () => {
  const any = { text: true, number: true, boolean: true, null: true };
  assert.deepEqual(
    ["1.5", "", "true", "x", " ", "1e400"].map((text) => cellValue(text, any)),
    [1.5, null, true, "x", " ", "1e400"],
  );
  assert.deepEqual(
    ["1.5", "", "true"].map((text) => cellValue(text, { text: true })),
    ["1.5", "", "true"],
  );
});

test("a range is told in words", () => {
  const told = (schema) => range(of({ type: "number", ...schema }));
  assert.deepEqual(
    [
      told({}),
      told({ minimum: 0, maximum: 1 }),
      told({ minimum: 3 }),
      told({ exclusiveMinimum: 0 }),
      told({ maximum: 2 }),
    ],
    ["", "0 to 1", "at least 3", "above 0", "at most 2"],
  );
});

test("the server's names of fields are found", () => {
  assert.deepEqual(path("parameters.top_k"), ["parameters", "top_k"]);
  assert.deepEqual(path("messages.0.content"), ["messages", "0", "content"]);
  assert.deepEqual(path("inputs.rows[2].x"), ["inputs", "rows", "2", "x"]);
  assert.deepEqual(path(""), []);
});

test("a file alone is the body, beside others it is base64", async () => {
  const task = { primary: "inputs", takes_file: true };
  const file = new MediaFile(new Blob([Uint8Array.of(0, 255, 1)]), "x.png");
  assert.equal(bareFile({ inputs: file }, task), file);
  assert.equal(bareFile({ inputs: file, parameters: {} }, task), undefined);
  assert.equal(bareFile({ inputs: file }, { ...task, takes_file: false }), undefined);
  assert.deepEqual(await encoded({ inputs: { image: file, at: [1, null, "ü"] } }), {
    inputs: { image: "AP8B", at: [1, null, "ü"] },
  });
});

test("a model is asked by its name, a task's first by the task's", () => {
  assert.deepEqual([route({ id: "t" }), route({ id: "t" }, "org/a b?")], ["tasks/t", "models/org/a%20b%3F"]);
});

test("events are read however the bytes are cut", async () => {
  const text = 'data: {"a": "ü"}\n\n: a comment\ndata: one\r\ndata: two\r\n\r\ndata:[DONE]\n\n';
  const bytes = new TextEncoder().encode(text);
  for (const step of [1, 2, 7, bytes.length]) {
    async function* stream() {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    }
    const found = [];
    for await (const data of events(stream())) found.push(data);
    assert.deepEqual(found, ['{"a": "ü"}', "one\ntwo", "[DONE]"]);
  }
});

test("what an event adds", () => {
  assert.equal(addition({ choices: [{ delta: { content: "hi" } }] }), "hi");
  assert.equal(addition({ choices: [{ delta: { role: "assistant" } }] }), "");
  assert.equal(addition({ token: { text: " a", special: false } }), " a");
  assert.equal(addition({ token: { text: "</s>", special: true }, generated_text: "all" }), "");
});

test("answers are taken apart", () => {
  assert.deepEqual(items([[{ a: 1 }], { b: 2 }, 3]), [{ a: 1 }, { b: 2 }]);
  assert.deepEqual([labelOf({ score: 1, label: "x" }), labelOf({ token_str: 5 }), labelOf({})], ["x", "5", ""]);
  assert.equal(scoreOf({ score: "no" }), undefined);
  assert.deepEqual([figure(2), figure(0.123456), figure(0.0000123), figure(-3.5)], ["2", "0.1235", "1.23e-5", "-3.5"]);
  assert.deepEqual(
    timed({
      text: "a b",
      chunks: [
        { text: "a", timestamp: [0, 1] },
        { text: "b", timestamp: [1, null] },
      ],
    }),
    [
      { text: "a", start: 0, end: 1 },
      { text: "b", start: 1, end: null },
    ],
  );
  assert.equal(timed({ text: "a", chunks: [] }), undefined);
  assert.deepEqual([clock(0), clock(75.25), clock(0.7)], ["0:00.0", "1:15.2", "0:00.7"]);
  assert.deepEqual(boxOf({ label: "a", box: { xmin: 1, ymin: 2, xmax: 3, ymax: 4 } }), [1, 2, 3, 4]);
  assert.equal(boxOf({ label: "a", box: { xmin: 1 } }), undefined);
});

test("spans count whole characters, and overlap no more than once", () => {
  const spans = [
    { start: 2, end: 4 },
    { start: 3, end: 5 },
    { start: 9, end: 99 },
  ];
  assert.deepEqual(cut("😀 ab c", spans), ["😀 ", { text: "ab", item: spans[0] }, " c"]);
});

test("files are known by their first bytes", () => {
  const base64 = (text) => btoa(text.padEnd(40, "\0"));
  assert.equal(mediaType(base64("\x89PNG\r\n\x1a\n")), "image/png");
  assert.equal(mediaType(base64("RIFF....WAVEfmt ")), "audio/wav");
  assert.equal(mediaType(base64("RIFF....WEBPVP8 ")), "image/webp");
  assert.equal(mediaType(base64("\0\0\0\x18ftypisom"), "video"), "video/mp4");
  assert.equal(mediaType("a text that is long enough to be something"), undefined);
});

test("a description keeps its code and links, and no other address", () => {
  assert.deepEqual(proseParts("see `a<b>` or [this](https://x.example/y) or [that](javascript:z)"), [
    { text: "see " },
    { code: "a<b>" },
    { text: " or " },
    { text: "this", href: "https://x.example/y" },
    { text: " or [that](javascript:z)" },
  ]);
});

test("a recording is a WAV file", () => {
  const view = new DataView(wav(Float32Array.of(0, 1, -1, 2), 16000));
  const text = (at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
  assert.deepEqual([text(0), text(8), text(36), view.byteLength], ["RIFF", "WAVE", "data", 52]);
  assert.deepEqual([view.getUint32(24, true), view.getUint16(34, true), view.getUint32(40, true)], [16000, 16, 8]);
  assert.deepEqual(
    [0, 2, 4, 6].map((at) => view.getInt16(44 + at, true)),
    [0, 32767, -32767, 32767],
  );
});

test("sizes are told in words", () =>
  assert.deepEqual([size(12), size(1234), size(20_000_000)], ["12 bytes", "1.2 kB", "20.0 MB"]));
