// Hugging Face's JavaScript client on a string: a line of JSON comes in for each call, and one goes out with what came
// of it. It is run in the folder that has the package, as text, so that its imports are looked for there.

import { openAsBlob } from "node:fs";
import { createInterface } from "node:readline";
import { InferenceClient } from "@huggingface/inference";

const SECONDS = 30;

/** `value` with the files that stand in it as {"$blob": path} or {"$buffer": path}. */
async function read(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map(read));
  if ("$blob" in value) return openAsBlob(value.$blob, { type: value.type });
  if ("$buffer" in value) return (await openAsBlob(value.$buffer)).arrayBuffer();
  const members = Object.entries(value).map(async ([name, member]) => [name, await read(member)]);
  return Object.fromEntries(await Promise.all(members));
}

/** `value` as JSON can have it. */
async function written(value) {
  if (!(value instanceof Blob)) return value;
  return { type: value.type, base64: Buffer.from(await value.arrayBuffer()).toString("base64") };
}

async function called({ name, token, url, args, options }) {
  const client = new InferenceClient(token).endpoint(url);
  const signal = AbortSignal.timeout(1000 * SECONDS);
  const result = client[name](await read(args), { ...options, signal });
  if (!(Symbol.asyncIterator in result)) return { result: await written(await result) };
  const events = [];
  try {
    for await (const event of result) events.push(event);
  } catch (error) {
    return { events, ...failure(error) };
  }
  return { events };
}

function failure(error) {
  return { error: error.name, message: error.message, status: error.httpResponse?.status };
}

const functions = Object.getOwnPropertyNames(new InferenceClient());
const answers = {
  functions: () => functions.filter((name) => typeof new InferenceClient()[name] === "function"),
  call: (request) => called(request).catch(failure),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await answers[request.do](request)));
}
