// Where the answer is shown: as what it is, and as JSON.

import { addition, Refused, Unreachable } from "./call.js";
import { button, copyButton, el } from "./dom.js";
import { textBlock } from "./outputs.js";
import { tabs } from "./tabs.js";
import { revoke } from "./values.js";

/** The panel: one function for each thing that happens to a call. */
export function answerPanel() {
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
    copyButton(raw),
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
      revoke();
      body.replaceChildren(el("div", { className: "waiting", "aria-hidden": true }));
      raw.textContent = "";
      element.setAttribute("aria-busy", "true");
      element.scrollIntoView({ block: "nearest" });
      status.textContent = "Waiting for the answer…";
      status.className = "status";
      clock = setInterval(() => (status.dataset.seconds = ((performance.now() - start) / 1000).toFixed(1)), 100);
    },
    /** The model is being loaded, for that much longer. */
    loading: (seconds) => (status.textContent = `The model is being loaded (about ${Math.ceil(seconds)} s more)…`),
    /** One event of a streamed answer. */
    event(found) {
      if (!live) body.replaceChildren((live = textBlock("")));
      live.append(addition(found));
      live.dataset.events = Number(live.dataset.events ?? 0) + 1;
      raw.textContent += `${JSON.stringify(found)}\n`;
    },
    /** The end of an answer, which `draw` makes an element of. */
    done({ text, count, response, seconds }, draw) {
      stop();
      delete status.dataset.seconds;
      const told = [`${response.status}`, `${seconds.toFixed(2)} s`];
      if (response.headers.get("x-compute-time"))
        told.push(`${Number(response.headers.get("x-compute-time")).toFixed(3)} s on the server`);
      if (response.headers.get("x-cache") === "hit") told.push("from its cache");
      if (count !== undefined) told.push(`${count} events`);
      status.textContent = told.join(" · ");
      if (count === 0) body.replaceChildren();
      if (count !== undefined) return;
      raw.textContent = pretty(text);
      try {
        body.replaceChildren(draw(JSON.parse(text)));
      } catch (error) {
        const message = `This answer cannot be drawn (${error.message}). As it came:`;
        body.replaceChildren(el("p", { className: "problem", textContent: message }), textBlock(text));
      }
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
          : error instanceof Unreachable
            ? "The server could not be reached."
            : "The call failed.";
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
