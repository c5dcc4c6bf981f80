// Even Better TOML's language server as a program: a message a line comes in, a message a line goes out.
import { accessSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import lsp from "@taplo/lsp";

const exists = (file) => {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
};

globalThis.fetch = () => Promise.reject(new Error("there is no network"));

const environment = {
  cwd: () => process.cwd(),
  envVar: () => undefined,
  envVars: () => [],
  findConfigFile: (folder) => [".taplo.toml", "taplo.toml"].map((name) => path.join(folder, name)).find(exists),
  glob: () => [],
  isAbsolute: path.isAbsolute,
  now: () => new Date(),
  readFile,
  writeFile: () => Promise.reject(new Error("nothing is written")),
  stdin: process.stdin,
  stdout: process.stderr, // what it logs; messages have the standard output to themselves
  stderr: process.stderr,
  stdErrAtty: () => false,
  urlToFilePath: (url) => (url.startsWith("file:") ? fileURLToPath(url) : url),
};

const onMessage = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const server = await lsp.TaploLsp.initialize(environment, { onMessage });
readline.createInterface({ input: process.stdin }).on("line", (line) => server.send(JSON.parse(line)));
