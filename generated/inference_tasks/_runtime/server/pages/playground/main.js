// The page: choosing a task, filling in its form, sending it, showing the answer.

import { answerPanel } from "./answer.js";
import { Refused, route, send } from "./call.js";
import { codePanel } from "./code.js";
import { button, el, prose } from "./dom.js";
import { Invalid, requestForm } from "./form.js";
import { MediaFile } from "./media.js";
import { show } from "./outputs.js";
import { control, path } from "./schema.js";
import { tabs } from "./tabs.js";
import { revoke } from "./values.js";

const $ = (id) => document.getElementById(id);
const TOKEN = "playground-token";

const manifest = await loaded("playground/manifest.json")
  .then((response) => response.json())
  .catch((error) => {
    const message = `The tasks of this server could not be loaded: ${error.message}. Reload the page to try again.`;
    $("task").replaceChildren(el("p", { className: "problem", role: "alert", textContent: message }));
    throw error;
  });
const { served, token: wantsToken, max_body: maxBody, fetch: fetches } = manifest.server;
let current;

/** What stands at an address of this server. */
async function loaded(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response;
}

function start() {
  document.title = `${manifest.title}: playground`;
  $("brand").textContent = manifest.title;
  $("access").hidden = !wantsToken;
  $("token").value = sessionStorage.getItem(TOKEN) ?? "";
  $("token").addEventListener("input", () => {
    $("token").setCustomValidity("");
    sessionStorage.setItem(TOKEN, $("token").value);
  });
  $("access").addEventListener("submit", (event) => event.preventDefault());
  $("search").addEventListener("input", list);
  $("menu").addEventListener("click", () => menu($("menu").getAttribute("aria-expanded") !== "true"));
  document.addEventListener("paste", (event) => handOver(event.clipboardData) && event.preventDefault());
  // Beside the zones for it too: the browser would leave the page for the file.
  const brings = (event) => !event.defaultPrevented && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => brings(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (!handOver(event.dataTransfer) && file) current?.parts()[0]?.take(file, file.name);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // what stands behind # is the task
    $("task").focus();
  });
  addEventListener("hashchange", follow);
  list();
  follow();
}

/** Gives a file that was pasted or dropped to the first part of the form that has use for it; whether there is one. */
function handOver(transfer) {
  const parts = current?.parts() ?? [];
  return [...(transfer?.files ?? [])].some((file) => parts.some((part) => part.paste(file)));
}

function menu(open) {
  $("menu").setAttribute("aria-expanded", String(open));
  document.body.classList.toggle("choosing", open);
}

/** The tasks that match what is searched for, under their categories; those that are not served come last. */
function list() {
  const words = $("search").value.toLowerCase().split(/\s+/);
  const found = manifest.tasks.filter((task) =>
    words.every((word) =>
      `${task.id} ${task.title} ${task.summary} ${task.category} ${(task.also ?? []).join(" ")}`
        .toLowerCase()
        .includes(word),
    ),
  );
  const groups = grouped(found.sort((a, b) => Boolean(served[b.id]) - Boolean(served[a.id])));
  const sections = [...groups].map(([name, tasks]) =>
    el(
      "section",
      {},
      name && el("h2", { textContent: name }),
      el(
        "ul",
        {},
        ...tasks.map((task) =>
          el(
            "li",
            {},
            el("a", {
              href: `#${task.id}`,
              textContent: task.title,
              title: task.summary,
              "aria-current": current?.task === task ? "page" : undefined,
            }),
          ),
        ),
      ),
    ),
  );
  $("list").replaceChildren(
    ...(sections.length ? sections : [el("p", { className: "none", textContent: "No task matches." })]),
  );
}

const heading = (task) => (served[task.id] ? task.category || "Tasks" : "Not served here");

function grouped(tasks) {
  const groups = new Map();
  for (const task of tasks) groups.set(heading(task), [...(groups.get(heading(task)) ?? []), task]);
  return groups;
}

/** Opens what the address names: #task or #task/example. */
function follow() {
  const [id, example] = location.hash.slice(1).split("/");
  const task =
    manifest.tasks.find((one) => one.id === id) ?? manifest.tasks.find((one) => served[one.id]) ?? manifest.tasks[0];
  current?.stop();
  current = open(task, example);
  menu(false);
  list();
  $("list").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

/** Shows a task. */
function open(task, wanted) {
  const media = { maxBody, fetch: fetches, parts: [] };
  const form = requestForm(control(task.schema, task.schema), {
    primary: task.primary,
    hidden: task.streams ? ["stream"] : [],
    media,
  });
  const code = codePanel(manifest, task);
  const answer = answerPanel();
  const models = served[task.id] ?? [];
  const model = el(
    "select",
    { "aria-label": "model" },
    ...models.map((name) => el("option", { value: name, textContent: name })),
  );
  const chosen = () => (model.selectedIndex > 0 ? model.value : undefined);
  const streams = el("input", { type: "checkbox", checked: true });
  const streamed = () => task.streams && streams.checked;
  const go = el("button", { type: "submit", className: "go", textContent: "Send", disabled: !models.length });
  const cancel = button("Cancel", () => running?.abort(), { className: "quiet", hidden: true });
  let running;
  let filling = 0;

  const examples = task.examples.map((example) => {
    const made = button(example.title, () => fill(example), { className: "chip", "aria-pressed": "false" });
    made.dataset.example = example.name;
    return made;
  });

  /** The parts for files that stand in the form; those of items that have left it end what they are at. */
  function parts() {
    media.parts.filter((part) => !part.element.isConnected).forEach((part) => part.stop());
    media.parts = media.parts.filter((part) => part.element.isConnected);
    return media.parts;
  }
  /** The request as it stands in the form; nothing if it cannot be one, which is then said where it is wrong. */
  function request() {
    try {
      return form.get();
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      form.say(error.part, error.message);
      return undefined;
    }
  }
  function changed() {
    form.clear();
    parts();
    code.update(request(), chosen(), streamed());
  }
  function pressed(example) {
    examples.forEach((made) => made.setAttribute("aria-pressed", String(made.dataset.example === example?.name)));
  }

  async function fill(example) {
    const turn = ++filling;
    const files = await Promise.all(example.samples.map((one) => sample(one).catch((error) => error)));
    if (turn !== filling) return; // another one was chosen meanwhile
    form.clear();
    form.set(example.request);
    const places = example.samples.map(({ place }) => place.reduce((part, name) => part.child(name), form));
    places.forEach((part, i) => part.set(files[i]));
    pressed(example);
    changed();
    files.forEach((file, i) => {
      if (file instanceof Error) form.say(places[i], `The file of this example could not be loaded: ${file.message}.`);
    });
  }

  /** Goes on with a conversation: the form gets the answer to its messages, and an empty one. */
  function reply(found, text) {
    const more = [
      { role: "assistant", content: text },
      { role: "user", content: "" },
    ];
    form.set({ ...found, [task.primary]: [...found[task.primary], ...more] });
    pressed();
    changed();
    form
      .child(task.primary)
      .child(found[task.primary].length + 1)
      .item.querySelector("textarea")
      ?.focus();
  }

  async function submit(event) {
    event.preventDefault();
    form.clear();
    const found = request();
    if (!found || running) return;
    const token = wantsToken ? $("token").value : "";
    if (/[^\x20-\xff]/.test(token)) {
      $("token").setCustomValidity("A token with these characters cannot be sent.");
      $("token").reportValidity();
      return;
    }
    running = new AbortController();
    go.disabled = true;
    cancel.hidden = false;
    const sent = parts().flatMap((part) => {
      const file = part.get();
      return file instanceof MediaFile ? [{ kind: part.kind, blob: file.blob }] : [];
    });
    answer.wait();
    try {
      const options = { token, signal: running.signal, event: answer.event, loading: answer.loading };
      const done = await send(route(task, chosen()), streamed() ? { ...found, stream: true } : found, task, options);
      answer.done(done, (value) => show(task.output, value, found, sent));
      if (task.output === "chat" && task.input === "chat") answer.offer("Reply", (text) => reply(found, text));
    } catch (error) {
      answer.failed(
        error,
        error instanceof Refused ? form.show(error.fields.map((one) => ({ ...one, field: path(one.field) }))) : [],
      );
      if (error.status === 401) $("token").focus();
    } finally {
      running = undefined;
      go.disabled = false;
      cancel.hidden = true;
    }
  }

  const element = el(
    "form",
    {
      className: "request-form",
      onsubmit: submit,
      noValidate: true,
      oninput: () => {
        pressed();
        changed();
      },
    },
    el(
      "div",
      { className: "chips", role: "group", "aria-label": "Examples" },
      el("span", { className: "doc", textContent: "Examples" }),
      ...examples,
    ),
    form.element,
    el(
      "div",
      { className: "send" },
      go,
      cancel,
      task.streams ? el("label", { className: "check" }, streams, "Stream the answer") : "",
      models.length > 1 ? el("label", { className: "check" }, "Model ", model) : "",
      models.length ? "" : el("p", { className: "doc", textContent: "No model of this server answers this task." }),
    ),
  );
  element.addEventListener(
    "keydown",
    (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && element.requestSubmit(),
  );

  $("task").replaceChildren(
    el("div", { className: "intro" }, el("h1", { textContent: task.title }), el("p", {}, ...prose(task.summary))),
    el(
      "div",
      { className: "columns" },
      el("section", { className: "card", "aria-label": "Request" }, element),
      el("div", { className: "side" }, answer.element, code.element),
    ),
  );
  const first = task.examples.find((example) => example.name === wanted) ?? task.examples[0];
  if (first) fill(first);
  else changed();
  function stop() {
    running?.abort();
    media.parts.forEach((part) => part.stop());
    revoke();
  }
  return { task, parts, stop };
}

async function sample({ path }) {
  return new MediaFile(await (await loaded(`samples/${path}`)).blob(), path.split("/").pop());
}

start();
