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
export function mediaPart(one, { id, media, name }) {
  const kind = one.media;
  const preview = el("div", { className: "preview" });
  const note = el("p", { className: "doc", "aria-live": "polite" });
  const chooser = el("input", { id, type: "file", accept: one.accept, className: "file" });
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
    el("span", { textContent: `Choose ${what}, drop it here or paste it` }),
  );
  const clear = button(
    "Remove",
    () => {
      put(undefined);
      changed();
    },
    { className: "quiet", hidden: true },
  );
  const bar = el("div", { className: "bar" }, clear);
  let file;
  let url;

  function put(found) {
    if (url) URL.revokeObjectURL(url);
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
  if (kind === "audio" && navigator.mediaDevices?.getUserMedia) bar.prepend(microphone(take, note));

  const part = {
    element: el("div", { className: "media" }, preview, note, zone, bar, media.fetch ? address : ""),
    control: chooser,
    get: () => file ?? (address.value.trim() || undefined),
    /** Shows a MediaFile; of texts only an address. */
    set(value) {
      address.value = typeof value === "string" ? value : "";
      put(value instanceof MediaFile ? value : undefined);
    },
    /** Takes what was pasted somewhere on the page; whether it is of use here. */
    paste(found) {
      const useful = Boolean(kind) && found.type.startsWith(`${kind}/`);
      if (useful) take(found, found.name || `pasted.${found.type.split("/")[1]}`);
      return useful;
    },
    url: () => url,
    kind,
    member: name,
  };
  media.parts.push(part);
  return part;
}

/** A button that records until it is pressed again. */
function microphone(take, note) {
  let stop;
  const made = button(
    "Record",
    async () => {
      if (stop) {
        made.disabled = true;
        const blob = await stop();
        stop = undefined;
        made.disabled = false;
        made.textContent = "Record";
        made.classList.remove("live");
        return take(blob, "recording.wav");
      }
      try {
        stop = await record((seconds) => (note.textContent = `recording: ${seconds.toFixed(1)} s`));
        made.textContent = "Stop";
        made.classList.add("live");
      } catch (error) {
        note.textContent = `no microphone: ${error.message}`;
      }
    },
    { className: "quiet" },
  );
  return made;
}
