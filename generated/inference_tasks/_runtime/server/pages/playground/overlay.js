// What stands somewhere in an image, drawn on it: boxes and masks.

import { el } from "./dom.js";
import { blobUrl, figure, items, labelOf, mediaType, scoreOf } from "./values.js";

const CORNERS = [
  ["xmin", "ymin", "xmax", "ymax"],
  ["x1", "y1", "x2", "y2"],
  ["left", "top", "right", "bottom"],
];
const HUES = 8;

/** The box in `item` as [left, top, right, bottom], nothing if it has none. Pure. */
export function boxOf(item) {
  for (const member of Object.values(item)) {
    for (const names of CORNERS) {
      const corners = names.map((name) => member?.[name]);
      if (corners.every((corner) => typeof corner === "number")) return corners;
    }
  }
  return undefined;
}

/** The legend: for each item a line with its colour, by which it is shown and hidden. */
function legend(found, shapes) {
  const line = (item, i) => {
    const box = el("input", { type: "checkbox", checked: true, onchange: () => (shapes[i].hidden = !box.checked) });
    const label = el(
      "label",
      { className: `hue${i % HUES}` },
      box,
      el("span", { className: "swatch" }),
      el("span", { className: "label", textContent: labelOf(item) }),
    );
    const score = scoreOf(item);
    const row = el(
      "li",
      {},
      label,
      el("span", { className: "score", textContent: score === undefined ? "" : figure(score) }),
    );
    row.addEventListener("mouseenter", () => shapes[i].classList.add("strong"));
    row.addEventListener("mouseleave", () => shapes[i].classList.remove("strong"));
    return row;
  };
  return el("ul", { className: "legend" }, ...found.map(line));
}

function picture(files, shapes) {
  const image = el("img", { src: files.find((file) => file.kind === "image")?.url, alt: "the image that was sent" });
  return { image, stage: el("div", { className: "stage" }, image, ...shapes) };
}

export function boxes(value, { files }) {
  const found = items(value).filter(boxOf);
  if (!files.some((file) => file.kind === "image")) return undefined;
  const shapes = found.map((item, i) => {
    const score = scoreOf(item);
    return el(
      "div",
      { className: `box hue${i % HUES}` },
      el("span", { textContent: `${labelOf(item)}${score === undefined ? "" : ` ${figure(score)}`}` }),
    );
  });
  const { image, stage } = picture(files, shapes);
  image.addEventListener("load", () => {
    // In parts of the image, so that they stay right at any width.
    found.forEach((item, i) => {
      const inside = (corner, i) => Math.max(0, Math.min(corner, i % 2 ? image.naturalHeight : image.naturalWidth));
      const [left, top, right, bottom] = boxOf(item).map(inside);
      Object.assign(shapes[i].style, {
        left: `${(100 * left) / image.naturalWidth}%`,
        top: `${(100 * top) / image.naturalHeight}%`,
        width: `${(100 * (right - left)) / image.naturalWidth}%`,
        height: `${(100 * (bottom - top)) / image.naturalHeight}%`,
      });
    });
  });
  return el(
    "div",
    {},
    stage,
    found.length ? legend(found, shapes) : el("p", { className: "none", textContent: "nothing was found" }),
  );
}

export function masks(value, { files }) {
  const found = items(value).filter((item) => maskOf(item));
  if (!files.some((file) => file.kind === "image")) return undefined;
  const shapes = found.map((item, i) => {
    const shape = el("div", {
      className: `mask hue${i % HUES}`,
      role: "img",
      "aria-label": `where ${labelOf(item)} is`,
    });
    // Black and white becomes colour and none: see .mask in the style sheet.
    shape.style.maskImage = `url(${blobUrl(maskOf(item), "image/png")})`;
    return shape;
  });
  const { stage } = picture(files, shapes);
  return el(
    "div",
    {},
    stage,
    found.length ? legend(found, shapes) : el("p", { className: "none", textContent: "nothing was found" }),
  );
}

const maskOf = (item) =>
  Object.values(item).find((member) => typeof member === "string" && mediaType(member, "image")?.startsWith("image/"));
