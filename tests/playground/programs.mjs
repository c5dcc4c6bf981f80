// Prints what the playground shows as code: for each call on stdin, the program of each language, in the same order.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const pages = pathToFileURL(`${process.argv[2]}/`);
const { program } = await import(new URL("code.js", pages));
const { MediaFile } = await import(new URL("media.js", pages));
const { manifest, calls } = JSON.parse(readFileSync(0, "utf8"));

const made = calls.map(({ task: id, language: name, request, files, base }) => {
  const task = manifest.tasks.find((one) => one.id === id);
  const language = manifest.languages.find((one) => one.id === name);
  const media = files.map(({ name, type }) => new MediaFile(new Blob([], { type }), name));
  const filled = (value) => {
    if (typeof value === "string" && value.startsWith("\0")) return media[Number(value.slice(1))];
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(filled);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]));
  };
  return program(language, task, filled(request), base);
});
console.log(JSON.stringify(made));
