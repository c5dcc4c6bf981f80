// Answers as people look at them: one function for each kind of output. Each takes the answer and what it is an answer
// to, {request, files}, `files` being {kind, url} of the media sent; and gives an element, or nothing if it cannot.
// What it draws from has addresses of its own, so that the form may change meanwhile.

import { button, el } from "./dom.js";
import { MediaFile, player } from "./media.js";
import { boxes, masks } from "./overlay.js";
import { address, blobUrl, figure, items, labelOf, mediaType, scoreOf } from "./values.js";

const MOST = 200;

/** The answer in the form of its kind; as its members where that does not fit. `sent` are {kind, blob}. */
export function show(kind, value, request, sent) {
  const about = { request, files: sent.map(({ kind, blob }) => ({ kind, url: address(blob) })) };
  return (OUTPUTS[kind] ?? members)(value, about) ?? members(value);
}

const OUTPUTS = {
  scores,
  boxes,
  masks,
  transcript,
  spans,
  answers,
  text,
  chat,
  image: made("image"),
  audio: made("audio"),
  video: made("video"),
  numbers,
  cells,
};

function bar(label, score, most, signed) {
  const fill = el("span", { className: score < 0 ? "fill less" : "fill" });
  fill.style.width = `${(100 * Math.abs(score)) / (most || 1)}%`;
  return el(
    "li",
    {},
    el("span", { className: "label", textContent: label }),
    el("span", { className: signed ? "track signed" : "track", "aria-hidden": true }, fill),
    el("span", { className: "score", textContent: figure(score) }),
  );
}

function bars(pairs) {
  const most = Math.max(...pairs.map(([, score]) => Math.abs(score)));
  // Probabilities stand against 1, other numbers against the largest of them.
  return el(
    "ol",
    { className: "bars" },
    ...pairs.slice(0, MOST).map(([label, score]) => bar(label, score, most <= 1 ? 1 : most)),
  );
}

function scores(value) {
  const found = items(value).filter((item) => scoreOf(item) !== undefined);
  return found.length ? bars(found.map((item) => [labelOf(item), scoreOf(item)])) : nothing(value);
}

const nothing = (value) =>
  Array.isArray(value) && !value.length ? el("p", { className: "none", textContent: "nothing was found" }) : undefined;

/** The name of the member that holds pieces with times, and those as {text, start, end} in seconds; nothing if none. */
export function timed(value) {
  for (const list of Object.values(value ?? {})) {
    if (!Array.isArray(list) || !list.length || typeof list[0]?.text !== "string") continue;
    const pieces = list.map((piece) => {
      const [start, end] = piece.timestamp ?? piece.timestamps ?? [piece.start, piece.end];
      return { text: piece.text, start, end };
    });
    if (pieces.every((piece) => typeof piece.start === "number")) return pieces;
  }
  return undefined;
}

function transcript(value, { files }) {
  const [one] = items(value);
  if (!one) return typeof value === "string" ? textBlock(value) : undefined;
  const pieces = timed(one);
  const whole = textBlock(one.text ?? Object.values(one).find((member) => typeof member === "string") ?? "");
  const sound = files.find((file) => file.kind === "audio" || file.kind === "video");
  if (!pieces || !sound) return whole;
  const audio = player(sound.kind, sound.url, "what was transcribed");
  const list = el("ol", { className: "chunks" });
  for (const piece of pieces) {
    const play = button(
      "",
      () => {
        audio.currentTime = piece.start;
        audio.play();
      },
      { className: "chunk" },
    );
    play.append(el("time", { textContent: clock(piece.start) }), el("span", { textContent: piece.text }));
    list.append(el("li", {}, play));
  }
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    pieces.forEach((piece, i) =>
      list.children[i].classList.toggle("now", now >= piece.start && now < (piece.end ?? Infinity)),
    );
  });
  return el("div", { className: "transcript" }, whole, audio, list);
}

/** 75.25 → "1:15.2" */
export function clock(seconds) {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
}

/** A text cut where spans begin and end: strings, and {text, item}; of spans that overlap the first counts. Pure. */
export function cut(text, spans) {
  // Places count characters as the server does, whole ones: a JavaScript string has two places for some.
  const letters = [...text];
  const parts = [];
  let at = 0;
  for (const item of [...spans].sort((a, b) => a.start - b.start)) {
    if (item.start < at || item.end <= item.start || item.end > letters.length) continue;
    if (item.start > at) parts.push(letters.slice(at, item.start).join(""));
    parts.push({ text: letters.slice(item.start, item.end).join(""), item });
    at = item.end;
  }
  if (at < letters.length) parts.push(letters.slice(at).join(""));
  return parts;
}

/** All texts of a request that could be the one an answer is about, the longest first. */
function texts(value) {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object" || value instanceof MediaFile) return [];
  return Object.values(value)
    .flatMap(texts)
    .sort((a, b) => b.length - a.length);
}

function marked(text, spans) {
  const kinds = [...new Set(spans.map((item) => item.entity_group ?? item.entity ?? labelOf(item)))];
  const parts = cut(text, spans).map((part) => {
    if (typeof part === "string") return part;
    const kind = part.item.entity_group ?? part.item.entity ?? part.item.label ?? "";
    const mark = el(
      "mark",
      { className: `hue${kinds.indexOf(kind) % 8}` },
      part.text,
      kind && el("small", { textContent: kind }),
    );
    if (scoreOf(part.item) !== undefined) mark.title = `score ${figure(scoreOf(part.item))}`;
    return mark;
  });
  return el("p", { className: "marked" }, ...parts);
}

function spans(value, { request }) {
  const found = items(value).filter((item) => Number.isInteger(item.start) && Number.isInteger(item.end));
  const [text] = texts(request);
  if (!found.length || text === undefined) return nothing(value);
  return el("div", {}, marked(text, found), rows(items(value)));
}

function answers(value, { request }) {
  const found = items(value);
  if (!found.length) return nothing(value);
  const scored = found.filter((item) => scoreOf(item) !== undefined);
  const best = found[0];
  const out = el(
    "div",
    { className: "answers" },
    el("p", { className: "answer", textContent: best.answer === "" ? "(no answer)" : labelOf(best) }),
  );
  if (scored.length > 1 || (scored.length && found.length > 1))
    out.append(bars(scored.map((item) => [String(item.answer ?? labelOf(item)), scoreOf(item)])));
  else if (scored.length) out.append(el("p", { className: "doc", textContent: `score ${figure(scoreOf(best))}` }));
  const text = texts(request).find((one) => [...one].slice(best.start, best.end).join("") === best.answer);
  if (text && best.answer) out.append(marked(text, [{ start: best.start, end: best.end, label: "" }]));
  return out;
}

export const textBlock = (text) => el("div", { className: "text", textContent: text });

/** The texts that were written: of each item its first member that is a text. */
function text(value) {
  if (typeof value === "string") return textBlock(value);
  const found = items(value).map((item) => Object.values(item).find((member) => typeof member === "string"));
  return found.length ? el("div", {}, ...found.filter((one) => one !== undefined).map(textBlock)) : undefined;
}

function chat(value) {
  const messages = (value.choices ?? [value]).map((choice) => choice.message ?? choice);
  const out = el("div", { className: "chat" });
  for (const message of messages) {
    out.append(
      el(
        "div",
        { className: "message" },
        el("span", { className: "role", textContent: message.role ?? "assistant" }),
        message.content ? textBlock(message.content) : "",
      ),
    );
    for (const call of message.tool_calls ?? []) {
      out.append(
        el("pre", {
          className: "code",
          tabIndex: 0,
          textContent: `${call.function?.name}(${typeof call.function?.arguments === "string" ? call.function.arguments : JSON.stringify(call.function?.arguments)})`,
        }),
      );
    }
  }
  if (value.usage)
    out.append(
      el("p", {
        className: "doc",
        textContent: Object.entries(value.usage)
          .map(([name, count]) => `${name} ${count}`)
          .join(" · "),
      }),
    );
  return out;
}

/** Files that were made: shown or played, with a link to keep them, and what is said about each. */
function made(kind) {
  return (value) => {
    const out = el("div", { className: "files" });
    for (const item of typeof value === "string" ? [{ file: value }] : items(value)) {
      const facts = {};
      for (const [name, member] of Object.entries(item)) {
        const type = typeof member === "string" && mediaType(member, kind);
        if (!type) facts[name] = member;
        else {
          const url = blobUrl(member, type);
          const ending = type.split("/")[1];
          out.append(
            el(
              "figure",
              {},
              player(type.split("/")[0], url, `${name}, made by the model`),
              el(
                "figcaption",
                {},
                el("a", { href: url, download: `${name}.${ending}`, textContent: `Save ${name}.${ending}` }),
              ),
            ),
          );
        }
      }
      if (Object.keys(facts).length) out.append(members(facts));
    }
    return out.querySelector("figure") ? out : undefined;
  };
}

/** Vectors as small bars, with how long they are; one number for each text that was sent as that text's score. */
function numbers(value, { request }) {
  const flat = Array.isArray(value) && value.every((one) => typeof one === "number");
  const lists = Object.values(request).flatMap((one) => [
    one,
    ...(one && typeof one === "object" ? Object.values(one) : []),
  ]);
  const named =
    flat &&
    lists.find(
      (list) => Array.isArray(list) && list.length === value.length && list.every((one) => typeof one === "string"),
    );
  if (named) return bars(named.map((label, i) => [label, value[i]]));
  const vectors = flat ? [value] : leaves(value);
  if (!vectors.length) return undefined;
  const out = el("div", { className: "vectors" });
  out.append(
    el("p", {
      className: "doc",
      textContent: `${vectors.length} ${vectors.length === 1 ? "vector" : "vectors"} of ${vectors[0].length} numbers`,
    }),
  );
  for (const vector of vectors.slice(0, 24)) {
    const most = Math.max(...vector.map(Math.abs)) || 1;
    const strip = el("div", {
      className: "vector",
      role: "img",
      "aria-label": `${vector.length} numbers from ${figure(Math.min(...vector))} to ${figure(Math.max(...vector))}`,
    });
    for (const number of vector.slice(0, 256)) {
      const fill = el("span", { className: number < 0 ? "less" : "", title: figure(number) });
      fill.style.height = `${Math.max(2, (100 * Math.abs(number)) / most)}%`;
      strip.append(fill);
    }
    out.append(strip);
  }
  return out;
}

const leaves = (value) =>
  !Array.isArray(value)
    ? []
    : value.every((one) => typeof one === "number")
      ? value.length
        ? [value]
        : []
      : value.flatMap(leaves);

/** The answer for each row, as a last column of the table that was sent. */
function cells(value, { request }) {
  if (!Array.isArray(value)) return undefined;
  const tables = [
    request,
    ...Object.values(request),
    ...Object.values(request).flatMap((one) => Object.values(one ?? {})),
  ];
  const table = tables.find(
    (one) =>
      one &&
      !Array.isArray(one) &&
      typeof one === "object" &&
      Object.values(one).length > 0 &&
      Object.values(one).every((column) => Array.isArray(column) && column.length === value.length),
  );
  return rows(
    value.map((answer, i) => ({
      ...Object.fromEntries(Object.entries(table ?? {}).map(([name, column]) => [name, column[i]])),
      answer: typeof answer === "number" ? figure(answer) : answer,
    })),
    "answer",
  );
}

const inline = (value) =>
  typeof value === "number" ? figure(value) : typeof value === "string" ? value : (JSON.stringify(value) ?? "");

/** A table of objects; the column `strong` stands out. */
export function rows(list, strong) {
  const names = [...new Set(list.flatMap(Object.keys))];
  const head = el(
    "tr",
    {},
    ...names.map((name) => el("th", { scope: "col", textContent: name, className: name === strong ? "strong" : "" })),
  );
  const body = list
    .slice(0, MOST)
    .map((item) =>
      el(
        "tr",
        {},
        ...names.map((name) =>
          el("td", { textContent: inline(item[name]), className: name === strong ? "strong" : "" }),
        ),
      ),
    );
  return el(
    "div",
    { className: "scroll", tabIndex: 0 },
    el("table", { className: "rows" }, el("thead", {}, head), el("tbody", {}, ...body)),
  );
}

/** Whatever else: the members of an object, or rows of objects. */
function members(value) {
  if (value === null || typeof value !== "object") return textBlock(inline(value));
  const list = items(value);
  if (Array.isArray(value))
    return list.length
      ? rows(list)
      : el("pre", { className: "code", tabIndex: 0, textContent: JSON.stringify(value, null, 2) });
  return el(
    "dl",
    {},
    ...Object.entries(value).flatMap(([name, one]) => [
      el("dt", { textContent: name }),
      el("dd", { textContent: shorten(inline(one)) }),
    ]),
  );
}

const shorten = (text) =>
  text.length > 300 ? `${text.slice(0, 300)}… (${text.length.toLocaleString("en")} characters)` : text;
