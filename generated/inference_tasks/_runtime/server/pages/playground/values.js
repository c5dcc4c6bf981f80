// What is in an answer: its items, what they are called and how they are scored, and the files in it.

const LABELS = ["label", "class", "class_name", "category", "token_str", "answer", "word", "name", "text"];
const SCORES = ["score", "probability", "confidence"];

/** What an answer holds, without lists around it: a list of objects. */
export function items(value) {
  if (Array.isArray(value)) return value.flatMap(items);
  return value !== null && typeof value === "object" ? [value] : [];
}

const first = (item, names, type) => names.map((name) => item[name]).find((member) => typeof member === type);
export const labelOf = (item) =>
  String(LABELS.map((name) => item[name]).find((member) => ["string", "number"].includes(typeof member)) ?? "");
export const scoreOf = (item) => first(item, SCORES, "number");

/** A score as text: four digits that matter. */
export function figure(number) {
  if (Number.isInteger(number)) return String(number);
  return Math.abs(number) >= 0.001 ? String(Number(number.toPrecision(4))) : number.toExponential(2);
}

const MAGIC = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "riff"],
  ["Qk0", "image/bmp"],
  ["ZkxhQ", "audio/flac"],
  ["T2dnUw", "audio/ogg"],
  ["SUQz", "audio/mpeg"],
  ["//v", "audio/mpeg"],
  ["//N", "audio/mpeg"],
  ["GkXfo", "video/webm"],
];

/** The media type of a file in base64, from its first bytes; nothing if it is none that we know. Pure. */
export function mediaType(base64, kind) {
  if (base64.length < 24) return undefined;
  const found = MAGIC.find(([magic]) => base64.startsWith(magic))?.[1];
  if (found === "riff") return atob(base64.slice(0, 16)).endsWith("WAVE") ? "audio/wav" : "image/webp";
  if (found) return kind === "audio" ? found.replace("video/", "audio/") : found;
  try {
    return atob(base64.slice(0, 12)).slice(4, 8) === "ftyp" ? `${kind === "audio" ? "audio" : "video"}/mp4` : undefined;
  } catch {
    return undefined;
  }
}

const lent = [];

/** An address of `blob` that this page can show, until the answer that shows it goes: see `revoke`. */
export function address(blob) {
  const url = URL.createObjectURL(blob);
  lent.push(url);
  return url;
}

/** The same of a file in base64. */
export function blobUrl(base64, type) {
  return address(new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type }));
}

/** Frees all that the answer needed. */
export function revoke() {
  lent.splice(0).forEach((url) => URL.revokeObjectURL(url));
}
