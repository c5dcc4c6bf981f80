// Runs programs one after another in this one process: node batch.mjs FILE..., each in the folder of its file. As in
// Batch.java, what a program prints goes to `stdout` and `stderr` beside it, and what node would exit with to `status`.
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

for (const program of process.argv.slice(2)) {
  process.chdir(dirname(program));
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    process[stream].write = (text) => Boolean((printed[stream] += text));
  }
  let status = 0;
  try {
    await import(pathToFileURL(program));
  } catch (error) {
    printed.stderr += inspect(error);
    status = 1;
  }
  writeFileSync("stdout", printed.stdout);
  writeFileSync("stderr", printed.stderr);
  writeFileSync("status", `${status}`);
}
