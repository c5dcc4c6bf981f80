// Media files in a form: drop zone, file chooser, paste, microphone, preview.

import { button, el } from "./dom.js";
import { record } from "./record.js";

const MEGABYTE = 1e6;

/** A file that stands in a request until it is sent, as text in base64 or as the body itself. */
export class MediaFile {
  constructor(blob, name) {
    this.blob = blob;
    this.name = name;
  }

  /** The content in base64. */
  async base64() {
    const bytes = new Uint8Array(await this.blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
  }
}

/** "12.3 kB" */
export function size(bytes) {
  return bytes < 1000
    ? `${bytes} bytes`
    : bytes < MEGABYTE
      ? `${(bytes / 1000).toFixed(1)} kB`
      : `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

/** What shows or plays a file: an element for its kind ("image", "audio", "video"), a link for any other. */
export function player(kind, url, label) {
  if (kind === "image") return el("img", { src: url, alt: label });
  if (kind === "audio" || kind === "video")
    return el(kind, { src: url, controls: true, "aria-label": label, preload: "metadata" });
  return el("a", { href: url, download: label, textContent: label });
}

/** The part (see form.js) for a file of the kinds that `one.accept` allows. `media`: `{maxBody, fetch}` of the server. */
export function mediaPart(one, { id, media }) {
  const kind = one.media;
  const preview = el("div", { className: "preview" });
  const note = el("p", { className: "doc", "aria-live": "polite" });
  const chooser = el("input", { id, type: "file", accept: one.accept, className: "visually-hidden" });
  const address = el("input", {
    type: "url",
    placeholder: "or an address: https://…",
    "aria-label": "address of a file",
    className: "url",
  });
  const what = { image: "an image", audio: "a recording", video: "a video" }[kind] ?? "a file";
  const zone = el(
    "div",
    { className: "drop" },
    chooser,
    el("label", { for: id, className: "choose", textContent: `Choose ${what}` }),
    el("span", { textContent: "or drop it here or paste it" }),
  );
  const clear = button(
    "Remove",
    () => {
      put(undefined);
      changed();
    },
    { className: "quiet", hidden: true },
  );
  const recorder = kind === "audio" && navigator.mediaDevices?.getUserMedia ? microphone(take, note) : undefined;
  const bar = el("div", { className: "bar" }, recorder?.element, clear);
  let file;
  let url;

  function stop() {
    recorder?.drop();
    if (url) URL.revokeObjectURL(url);
  }
  function put(found) {
    stop();
    file = found;
    url = found && URL.createObjectURL(found.blob);
    chooser.value = "";
    note.textContent = found ? `${found.name}, ${size(found.blob.size)}` : "";
    preview.replaceChildren(...(found ? [player(kind, url, found.name)] : []));
    clear.hidden = !found;
    part.element.toggleAttribute("data-set", Boolean(found));
  }
  function take(blob, label) {
    const fits = !kind || kind === "application" || !blob.type || blob.type.startsWith(`${kind}/`);
    if (!fits) return void (note.textContent = `${label} is ${blob.type}: ${what} is wanted here`);
    if (blob.size > media.maxBody)
      return void (note.textContent = `${label} has ${size(blob.size)}; this server takes ${size(media.maxBody)}`);
    address.value = "";
    put(new MediaFile(blob, label));
    changed();
  }
  const changed = () => zone.dispatchEvent(new Event("input", { bubbles: true }));

  chooser.addEventListener("input", (event) => event.stopPropagation());
  chooser.addEventListener("change", () => chooser.files[0] && take(chooser.files[0], chooser.files[0].name));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const found = event.dataTransfer.files[0];
    if (found) take(found, found.name);
  });
  address.addEventListener("input", () => address.value && put(undefined));

  const part = {
    element: el("div", { className: "media" }, preview, note, zone, bar, media.fetch ? address : ""),
    control: chooser,
    get: () => file ?? (address.value.trim() || undefined),
    /** Shows a MediaFile; of texts only an address. */
    set(value) {
      address.value = typeof value === "string" ? value : "";
      put(value instanceof MediaFile ? value : undefined);
    },
    /** Takes what was pasted or dropped somewhere on the page; whether it is of use here. */
    paste(found) {
      const useful = Boolean(kind) && found.type.startsWith(`${kind}/`);
      if (useful) take(found, found.name || `pasted.${found.type.split("/")[1]}`);
      return useful;
    },
    /** Takes a file, or says why not. */
    take,
    /** Ends a recording and frees the preview: for a part that leaves the page. */
    stop,
    kind,
  };
  media.parts.push(part);
  return part;
}

/** A button that records until it is pressed again; `drop()` ends a recording that nobody wants any more. */
function microphone(take, note) {
  const element = button("Record", press, { className: "quiet" });
  const tell = (seconds) => (note.textContent = `recording: ${seconds.toFixed(1)} s`);
  let recording;
  let busy = false;
  let dropped = 0;

  function now(made) {
    recording = made;
    element.textContent = made ? "Stop" : "Record";
    element.classList.toggle("live", Boolean(made));
  }
  function drop() {
    dropped++;
    recording?.drop();
    now(undefined);
  }
  async function press() {
    if (busy) return; // the microphone is being opened, or the recording converted
    busy = true;
    const before = dropped;
    const ended = recording;
    now(undefined);
    try {
      const made = ended ? await ended.finish() : await record(tell);
      if (before !== dropped) made.drop?.();
      else if (ended) take(made, "recording.wav");
      else now(made);
    } catch (error) {
      note.textContent = `${ended ? "nothing was recorded" : "no microphone"}: ${error.message}`;
    } finally {
      busy = false;
    }
  }
  return { element, drop };
}
