// Sending a request: the media file itself, or JSON with files in base64; one answer, or events as they come.

import { MediaFile } from "./media.js";

const LONGEST_PAUSE = 3; // seconds between two questions whether a model is there

/** Where a task is asked for, below the server's address: at one of its models by name, or at its first. Pure. */
export function route(task, model) {
  return model ? `models/${model.split("/").map(encodeURIComponent).join("/")}` : `tasks/${task.id}`;
}

/** Whether `request` is one media file and nothing else, which is then the body. */
export function bareFile(request, task) {
  const [only, ...more] = Object.keys(request);
  return task.takes_file && only === task.primary && !more.length && request[only] instanceof MediaFile
    ? request[only]
    : undefined;
}

/** `value` with every file in it in base64. */
export async function encoded(value) {
  if (value instanceof MediaFile) return value.base64();
  if (Array.isArray(value)) return Promise.all(value.map(encoded));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    await Promise.all(Object.entries(value).map(async ([name, item]) => [name, await encoded(item)])),
  );
}

/** An answer that is an error: `fields` are `{field, message}`. */
export class Refused extends Error {
  constructor(status, body) {
    super(typeof body?.error === "string" ? body.error : (body?.error?.message ?? `the server answered ${status}`));
    this.status = status;
    this.body = body;
    this.fields = Array.isArray(body?.fields) ? body.fields : [];
  }
}

/** There is no answer at all. */
export class Unreachable extends Error {}

/** Sends `request` to `path`, again while its model is being loaded: `loading` then hears for how many seconds more.
 *
 * Gives `{text, response, seconds, count}`: the text of the answer, or of all `count` events of a streamed one, each of
 * which `event` hears as it comes. Throws Refused, Unreachable, or what `signal` aborts with. */
export async function send(path, request, task, { token, signal, event, loading }) {
  const file = bareFile(request, task);
  const headers = { "Content-Type": file ? file.blob.type || "application/octet-stream" : "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = file ? file.blob : JSON.stringify(await encoded(request));
  for (;;) {
    const start = performance.now();
    const response = await fetch(path, { method: "POST", headers, body, signal }).catch((error) => {
      throw error.name === "AbortError" ? error : new Unreachable(error.message);
    });
    if (response.ok) {
      const answer = await received(response, event);
      return { ...answer, response, seconds: (performance.now() - start) / 1000 };
    }
    const problem = await response.json().catch(() => undefined);
    if (response.status !== 503 || typeof problem?.estimated_time !== "number")
      throw new Refused(response.status, problem);
    loading(problem.estimated_time);
    await pause(Math.min(problem.estimated_time, LONGEST_PAUSE), signal);
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function received(response, event) {
  if ((response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    const all = [];
    for await (const data of events(chunks(response.body))) {
      if (data === "[DONE]") break;
      const found = JSON.parse(data);
      if (found.error) throw new Refused(response.status, found);
      all.push(data);
      event(found);
    }
    return { text: all.join("\n"), count: all.length };
  }
  return { text: await response.text() };
}

async function* chunks(body) {
  const reader = body.getReader(); // not every browser iterates over a body itself
  for (let part; !(part = await reader.read()).done;) yield part.value;
}

/** The data of server-sent events, each as it comes; lines end with \n or \r\n. Takes any async iterable of bytes. */
export async function* events(stream) {
  const decoder = new TextDecoder();
  let rest = "";
  let data = [];
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines.map((one) => one.replace(/\r$/, ""))) {
      if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      else if (line === "" && data.length) {
        yield data.join("\n");
        data = [];
      }
    }
  }
}

/** The text that one event adds. */
export function addition(event) {
  if (Array.isArray(event.choices)) return event.choices[0]?.delta?.content ?? "";
  if (event.token) return event.token.special ? "" : (event.token.text ?? "");
  return Object.values(event).find((member) => typeof member === "string") ?? "";
}
