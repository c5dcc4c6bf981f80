// Prints the literals that the page makes of the values on stdin: {language: [literal, …]}.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const made = await import(new URL("literals.js", pathToFileURL(`${process.argv[2]}/`)));
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify(Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values.map(made[name])]))),
);
