// Making elements. Every text becomes text: nothing from a spec or an answer is ever read as HTML.

/** An element: `props` are properties or, with a hyphen in the name or "role", attributes; on… are event listeners. */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for")
      made.setAttribute(name, value === true ? "" : value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** The parts of a description: plain text, `code`, and [links](https://…). Pure. */
export function proseParts(text) {
  const parts = [];
  let rest = text;
  for (let found; (found = /`([^`]+)`|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/.exec(rest));) {
    if (found.index) parts.push({ text: rest.slice(0, found.index) });
    parts.push(found[1] ? { code: found[1] } : { text: found[2], href: found[3] });
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) parts.push({ text: rest });
  return parts;
}

/** A description as nodes. */
export function prose(text) {
  return proseParts(text || "").map((part) => {
    if (part.code) return el("code", { textContent: part.code });
    if (part.href)
      return el("a", { href: part.href, textContent: part.text, target: "_blank", rel: "noopener noreferrer" });
    return part.text;
  });
}

/** A button that does not submit. */
export function button(label, onclick, props = {}) {
  return el("button", { type: "button", textContent: label, onclick, ...props });
}

/** A button that copies the text of `element`. */
export function copyButton(element) {
  const made = button(
    "Copy",
    async () => {
      made.textContent = (await copied(element)) ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => (made.textContent = "Copy"), 1500);
    },
    { className: "quiet copy" },
  );
  return made;
}

/** Whether the text of `element` could be copied; it is selected if not. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // There is no clipboard on plain HTTP, except from this machine; the old way works there.
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
