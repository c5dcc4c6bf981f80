// Tabs that arrow keys move between.

import { button, el } from "./dom.js";

/** Tabs over panels: `panes` is `[[label, element], …]`; `chosen` hears which one is shown. */
export function tabs(name, panes, { start = 0, chosen = () => {} } = {}) {
  const list = el("div", { className: "tabs", role: "tablist", "aria-label": name });
  const buttons = panes.map(([label, panel], i) => {
    const made = button(label, () => pick(i), {
      role: "tab",
      id: `${slug(name)}-tab-${i}`,
      "aria-controls": `${slug(name)}-panel-${i}`,
    });
    panel.id = `${slug(name)}-panel-${i}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", made.id);
    return made;
  });
  list.append(...buttons);
  list.addEventListener("keydown", ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const at = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    pick(at);
    buttons[at].focus();
  });
  function pick(at) {
    buttons.forEach((made, i) => {
      made.setAttribute("aria-selected", String(i === at));
      made.tabIndex = i === at ? 0 : -1;
      panes[i][1].hidden = i !== at;
    });
    chosen(at);
  }
  pick(start);
  return { element: el("div", { className: "tabbed" }, list, ...panes.map(([, panel]) => panel)), pick };
}

const slug = (name) => name.toLowerCase().replace(/\W+/g, "-");
