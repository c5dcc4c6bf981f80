// The page: choosing a task, filling in its form, sending it, showing the answer.

import { addition, Refused, route, send } from "./call.js";
import { codePanel } from "./code.js";
import { button, copyButton, el, prose } from "./dom.js";
import { Invalid, requestForm } from "./form.js";
import { MediaFile } from "./media.js";
import { show, textBlock } from "./outputs.js";
import { control, path } from "./schema.js";
import { tabs } from "./tabs.js";

const $ = (id) => document.getElementById(id);
const TOKEN = "playground-token";

const manifest = await (await fetch("playground/manifest.json")).json();
const { served, token: wantsToken, max_body: maxBody, fetch: fetches } = manifest.server;
let current;

function start() {
  document.title = `${manifest.title}: playground`;
  $("brand").textContent = manifest.title;
  $("access").hidden = !wantsToken;
  $("token").value = sessionStorage.getItem(TOKEN) ?? "";
  $("token").addEventListener("input", () => sessionStorage.setItem(TOKEN, $("token").value));
  $("access").addEventListener("submit", (event) => event.preventDefault());
  $("search").addEventListener("input", list);
  $("menu").addEventListener("click", () => menu($("menu").getAttribute("aria-expanded") !== "true"));
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.some((file) => current?.media.parts.some((part) => part.paste(file)))) event.preventDefault();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // what stands behind # is the task
    $("task").focus();
  });
  addEventListener("hashchange", follow);
  list();
  follow();
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
  const groups = grouped(found);
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
  const go = el("button", { type: "submit", className: "go", textContent: "Send", disabled: !models.length });
  const cancel = button("Cancel", () => running?.abort(), { className: "quiet", hidden: true });
  let running;
  let filling = 0;

  const examples = task.examples.map((example) => {
    const made = button(example.title, () => fill(example), { className: "chip", "aria-pressed": "false" });
    made.dataset.example = example.name;
    return made;
  });

  /** The request as it stands in the form; nothing if it cannot be one, which is then said where it is wrong. */
  function request() {
    try {
      return form.get();
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      error.part.report(error.message);
      return undefined;
    }
  }
  function changed() {
    form.clear();
    const found = request();
    if (found) code.update(found, chosen());
  }
  function pressed(example) {
    examples.forEach((made) => made.setAttribute("aria-pressed", String(made.dataset.example === example?.name)));
  }

  async function fill(example) {
    const turn = ++filling;
    pressed(example);
    const files = await Promise.all(example.samples.map(sample));
    if (turn !== filling) return; // another one was chosen meanwhile
    form.clear();
    form.set(example.request);
    example.samples.forEach(({ place }, i) => place.reduce((part, name) => part.child(name), form).set(files[i]));
    changed();
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
    running = new AbortController();
    go.disabled = true;
    cancel.hidden = false;
    const streamed = task.streams && streams.checked;
    const about = {
      request: found,
      files: media.parts.filter((part) => part.url()).map((part) => ({ kind: part.kind, url: part.url() })),
    };
    answer.wait();
    try {
      const options = { token: wantsToken ? $("token").value : "", signal: running.signal, event: answer.event };
      const done = await send(route(task, chosen()), streamed ? { ...found, stream: true } : found, task, options);
      answer.done(task, done, about);
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
  return { task, media, stop: () => running?.abort() };
}

async function sample({ path }) {
  const response = await fetch(`samples/${path}`);
  return new MediaFile(await response.blob(), path.split("/").pop());
}

/** Where the answer is shown: as what it is, and as JSON. */
function answerPanel() {
  const status = el("p", { className: "status", role: "status" });
  const body = el(
    "div",
    { className: "answer-body" },
    el("p", { className: "none", textContent: "Send the request to see the answer here." }),
  );
  const raw = el("pre", { className: "code raw", tabIndex: 0 });
  const json = el(
    "div",
    { className: "with-copy" },
    copyButton(() => raw.textContent),
    raw,
  );
  const views = tabs("Answer", [
    ["Answer", body],
    ["Raw JSON", json],
  ]);
  const element = el("section", { className: "card answer-card", "aria-label": "Answer" }, views.element, status);
  let clock;
  let live;

  function stop() {
    clearInterval(clock);
    element.setAttribute("aria-busy", "false");
  }
  return {
    element,
    wait() {
      const start = performance.now();
      live = undefined;
      body.replaceChildren(el("div", { className: "waiting", "aria-hidden": true }));
      raw.textContent = "";
      element.setAttribute("aria-busy", "true");
      element.scrollIntoView({ block: "nearest" });
      status.textContent = "Waiting for the answer…";
      status.className = "status";
      clock = setInterval(() => (status.dataset.seconds = ((performance.now() - start) / 1000).toFixed(1)), 100);
    },
    /** One event of a streamed answer. */
    event(found) {
      if (!live) body.replaceChildren((live = textBlock("")));
      live.append(addition(found));
      live.dataset.events = Number(live.dataset.events ?? 0) + 1;
      raw.textContent += `${JSON.stringify(found)}\n`;
    },
    done(task, { value, text, response, seconds }, about) {
      stop();
      delete status.dataset.seconds;
      const told = [`${response.status}`, `${seconds.toFixed(2)} s`];
      if (response.headers.get("x-compute-time"))
        told.push(`${Number(response.headers.get("x-compute-time")).toFixed(3)} s on the server`);
      if (response.headers.get("x-cache") === "hit") told.push("from its cache");
      if (live) told.push(`${value.length} events`);
      status.textContent = told.join(" · ");
      if (live) return;
      raw.textContent = pretty(text);
      body.replaceChildren(show(task.output, value, about));
    },
    /** A button below the answer, which hands over the text in it. */
    offer(label, act) {
      body.append(button(label, () => act(body.querySelector(".text")?.textContent ?? ""), { className: "quiet" }));
    },
    failed(error, others) {
      stop();
      delete status.dataset.seconds;
      const cancelled = error.name === "AbortError";
      status.textContent = cancelled
        ? "Cancelled."
        : error instanceof Refused
          ? `Error ${error.status}`
          : "The server could not be reached.";
      status.className = "status bad";
      if (error instanceof Refused) raw.textContent = JSON.stringify(error.body ?? null, null, 2);
      if (cancelled && live) return;
      const lines = cancelled ? [] : [...new Set([error.message, ...others])];
      body.replaceChildren(...lines.map((line) => el("p", { className: "problem", textContent: line })));
    },
  };
}

/** JSON text in lines, with long strings as they are; numbers keep the digits that the server wrote. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

start();
