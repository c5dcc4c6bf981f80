// Values as literals of the languages that programs are written in: the page's twin of the generator's own rules, which
// a test holds it to, program by program. Pure.

// Characters that nobody sees are escaped, whatever the language.
const RANGES =
  "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\ud800-\\udfff\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e007f}";
const of = (chars, flags = "gu") => new RegExp(`[${chars}${RANGES}]`, flags);
const INVISIBLE = of("", "u");
const SHORT = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r" };

const hex = (letter, digits) => letter.codePointAt(0).toString(16).padStart(digits, "0");
const units = (text) =>
  [...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
const object = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A number with the digits that Python gives it. */
function decimal(number) {
  if (number === 0 || Math.abs(number) >= 1e-4) return String(number);
  return number.toExponential().replace(/-(\d)$/, "-0$1");
}

export function json(value) {
  if (typeof value === "number") return decimal(value);
  if (Array.isArray(value)) return `[${value.map(json).join(", ")}]`;
  if (object(value))
    return `{${Object.entries(value)
      .map(([key, item]) => `${json(key)}: ${json(item)}`)
      .join(", ")}}`;
  const text = JSON.stringify(value).replace(/<(?=[/!])/g, "\\u003c");
  return text.replace(of(""), units);
}

export function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") {
    return `"${value.replace(of('"\\\\\\n\\t'), (one) => SHORT[one] ?? (one < "\u0100" ? `\\x${hex(one, 2)}` : one.length > 1 ? `\\U${hex(one, 8)}` : `\\u${hex(one, 4)}`))}"`;
  }
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (object(value))
    return `{${Object.entries(value)
      .map(([key, item]) => `${python(key)}: ${python(item)}`)
      .join(", ")}}`;
  return decimal(value);
}

export function javascript(value) {
  const name = (key) => (key === "__proto__" ? '["__proto__"]' : json(key));
  if (Array.isArray(value)) return `[${value.map(javascript).join(", ")}]`;
  if (object(value))
    return `{${Object.entries(value)
      .map(([key, item]) => `${name(key)}: ${javascript(item)}`)
      .join(", ")}}`;
  return json(value);
}

export function shell(text) {
  if (INVISIBLE.test(text)) {
    const bytes = (letter) =>
      [...new TextEncoder().encode(letter)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    return `$'${text.replace(of("'\\\\"), bytes)}'`;
  }
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

// Blanks as Python counts them, in front, and at the end of a line: a Java text block would lose those.
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const BLANK_ENDS = new RegExp(`^${BLANK}|${BLANK}(?:\\n|$)`);
const javaEscape = (one) =>
  SHORT[one] ?? (one < "\x80" ? `\\${one.charCodeAt(0).toString(8).padStart(3, "0")}` : units(one));

export function java(text) {
  if (text.includes('"') && !text.includes("\r") && !BLANK_ENDS.test(text)) {
    const block = text.replace(/["\\\n\t]|[^ -~]/gu, (one) => (one === '"' || one === "\n" ? one : javaEscape(one)));
    return `"""\n${block.replace(/"(?=""|$)/g, '\\"')}"""`;
  }
  return `"${text.replace(/["\\\n\t]|[^ -~]/gu, javaEscape)}"`;
}

export function go(text) {
  if (/["\\\n]/.test(text) && !text.includes("`") && !INVISIBLE.test(text)) return `\`${text}\``;
  const escape = (one) =>
    SHORT[one] ?? (one < "\x80" ? `\\x${hex(one, 2)}` : one.length > 1 ? `\\U${hex(one, 8)}` : `\\u${hex(one, 4)}`);
  return `"${text.replace(of('"\\\\\\n\\t'), escape)}"`;
}

export function php(value) {
  if (typeof value === "string") {
    if (!INVISIBLE.test(value) && !/[\n\t]/.test(value)) return `'${value.replace(/[\\']/g, "\\$&")}'`;
    return `"${value.replace(of('"\\\\$\\n\\t'), (one) => SHORT[one] ?? (one === "$" ? "\\$" : `\\u{${hex(one, 0)}}`))}"`;
  }
  if (Array.isArray(value)) return `[${value.map(php).join(", ")}]`;
  if (object(value)) return phpArray(Object.entries(value).map(([key, item]) => [key, php(item)]));
  return json(value);
}

/** A PHP array that json_encode makes an object of, from `[[key, finished expression], …]`. */
export function phpArray(members, separator = ", ", ends = "") {
  const counted = members.every(([key], i) => key === String(i));
  return `${counted ? "(object) " : ""}[${ends}${members.map(([key, item]) => `${php(key)} => ${item}`).join(separator)}${ends}]`;
}
