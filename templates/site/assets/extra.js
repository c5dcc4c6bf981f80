// What the pages do beside the theme: they give their Markdown away, open what an anchor lies in, and know their versions.
(() => {
  "use strict";

  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // "Copy page as Markdown", where the page says that it has some.
  const twin = document.querySelector('link[rel="alternate"][type="text/markdown"]');
  const title = document.querySelector("article h1");
  if (twin && title) {
    const label = "Copy page as Markdown";
    const button = element("button", { type: "button", textContent: label });
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        const answer = await fetch(twin.href);
        if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
        await navigator.clipboard.writeText(await answer.text());
        button.textContent = "Copied";
      } catch {
        location.assign(twin.href); // no clipboard on this page: show what there is to copy
      }
      setTimeout(() => (button.textContent = label), 2000);
    });
    const actions = element("div", { className: "page-actions" });
    actions.append(button, element("a", { href: twin.href, textContent: "View as Markdown" }));
    title.after(actions);
  }

  // What an anchor leads to may lie in folds, and on tabs that are not shown.
  const reveal = () => {
    const target = document.querySelector("article :target");
    if (!target) return;
    let hidden = false;
    for (let at = target.parentElement; at; at = at.parentElement) {
      if (at.tagName === "DETAILS" && !at.open) {
        hidden = at.open = true;
      } else if (at.classList.contains("tabbed-block")) {
        const index = [...at.parentElement.children].indexOf(at);
        const choice = at.closest(".tabbed-set").querySelectorAll(":scope > input")[index];
        if (choice && !choice.checked) hidden = choice.checked = true;
      }
    }
    if (hidden) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // What scrolls is for keyboards, too. The theme sees to it only on devices with a mouse, and wraps tables late.
  addEventListener("load", () => {
    const sizes = new ResizeObserver((entries) => {
      setTimeout(() => {
        for (const { target } of entries) {
          if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
        }
      });
    });
    for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) sizes.observe(box);
  });

  // On a phone a row of a table is a list: each cell is named after its column, and those that say nothing are left out.
  for (const table of document.querySelectorAll("article table:not([class])")) {
    const columns = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      row.setAttribute("role", "row");
      [...row.cells].forEach((cell, index) => {
        cell.setAttribute("role", "cell");
        if (cell.textContent.trim() !== "–") cell.dataset.column = columns[index] ?? "";
      });
    }
    table.setAttribute("role", "table");
    table.dataset.rows = "";
  }

  // The theme's search does not mind the order of words; what is called just as one typed comes first.
  window.Worker = class extends Worker {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data: { data } }) => {
        const other = ({ id }) => this.titles[id] !== this.typed;
        if (this.titles) data?.items?.sort((a, b) => other(a) - other(b));
      });
    }

    postMessage(message, ...rest) {
      const { items, input } = message.data ?? {};
      if (items) this.titles = items.map(({ title }) => title.toLowerCase());
      if (typeof input === "string") this.typed = input.trim().toLowerCase();
      super.postMessage(message, ...rest);
    }
  };

  // The other versions: the link to their list is there without scripts, the choice in the header only with them.
  const versions = document.querySelector("a.versions");
  const place = document.querySelector(".md-header__title");
  if (versions && place) {
    const root = new URL("..", new URL(versions.getAttribute("href"), location.href));
    fetch(new URL("versions.json", root))
      .then((answer) => answer.json())
      .then(({ versions: names, newest }) => {
        const choice = element("select", { className: "version-choice", ariaLabel: "Version of these docs" });
        for (const name of names) {
          const text = name === newest ? `${name} (newest)` : name;
          choice.add(new Option(text, name, false, name === versions.dataset.version));
        }
        choice.addEventListener("change", async () => {
          const folder = new URL(`${choice.value}/`, root);
          const page = new URL(location.pathname.split("/").pop() || "index.html", folder);
          const there = (await fetch(page, { method: "HEAD" })).ok;
          page.hash = location.hash;
          location.assign(there ? page : new URL("index.html", folder));
        });
        place.after(choice);
      })
      .catch(() => {}); // the link remains
  }
})();
