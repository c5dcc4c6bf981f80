// A grid to type a table into: columns by name, {name: [cells]}, or rows, [[cells]].

import { button, el } from "./dom.js";
import { cellValue } from "./schema.js";

/** The part (see form.js) for a table control. */
export function tablePart(one, { required }, Invalid) {
  // Cells are kept as {text, value}, so that what was set and not edited goes out as it came in.
  let heads = [];
  let rows = [];
  const grid = el("table", { className: "grid" });
  const changed = () => grid.dispatchEvent(new Event("input", { bubbles: true }));
  const box = (value, label, edit) =>
    el("input", { type: "text", value, "aria-label": label, oninput: (event) => edit(event.target.value) });
  const small = (label, about, act) =>
    button(
      label,
      () => {
        act();
        draw();
        changed();
      },
      { className: "quiet", "aria-label": about },
    );

  function draw() {
    const head = el("tr");
    heads.forEach((name, c) => {
      const title = one.columns ? box(name, `name of column ${c + 1}`, (text) => (heads[c] = text)) : String(c + 1);
      const drop = small("×", `remove column ${c + 1}`, () => {
        heads.splice(c, 1);
        rows.forEach((row) => row.splice(c, 1));
      });
      head.append(el("th", { scope: "col" }, el("div", {}, title, drop)));
    });
    head.append(
      el(
        "td",
        {},
        small("+", "add a column", () => {
          heads.push("");
          rows.forEach((row) => row.push(blank()));
        }),
      ),
    );
    const body = rows.map((row, r) => {
      const cells = row.map((cell, c) =>
        el(
          "td",
          {},
          box(cell.text, `row ${r + 1}, ${heads[c] || `column ${c + 1}`}`, (text) => (row[c] = typed(text))),
        ),
      );
      return el(
        "tr",
        {},
        ...cells,
        el(
          "td",
          {},
          small("×", `remove row ${r + 1}`, () => rows.splice(r, 1)),
        ),
      );
    });
    grid.replaceChildren(el("thead", {}, head), el("tbody", {}, ...body));
  }

  const blank = () => typed("");
  const typed = (text) => ({ text, value: cellValue(text, one.cell) });
  const shown = (value) => ({ text: value === null ? "" : String(value), value });

  const part = {
    element: el(
      "div",
      { className: "scroll", tabIndex: 0 },
      grid,
      button(
        "Add a row",
        () => {
          rows.push(heads.map(blank));
          draw();
          changed();
        },
        { className: "quiet" },
      ),
    ),
    get() {
      if (!heads.length && !required) return undefined;
      if (!one.columns) return rows.map((row) => row.map((cell) => cell.value));
      if (new Set(heads).size < heads.length) throw new Invalid(part, "two columns have the same name");
      return Object.fromEntries(heads.map((name, c) => [name, rows.map((row) => row[c].value)]));
    },
    set(given) {
      const value = given ?? (required ? (one.columns ? { column: [""] } : [[""]]) : one.columns ? {} : []);
      if (one.columns) {
        heads = Object.keys(value);
        const columns = Object.values(value);
        rows = Array.from({ length: Math.max(0, ...columns.map((column) => column.length)) }, (_, r) =>
          columns.map((column) => shown(column[r] ?? "")),
        );
      } else {
        rows = value.map((row) => row.map(shown));
        heads = Array(Math.max(0, ...rows.map((row) => row.length))).fill("");
      }
      grid.toggleAttribute("data-set", given !== undefined);
      draw();
    },
  };
  part.set(undefined);
  return part;
}
