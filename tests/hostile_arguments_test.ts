/** Arguments with misleading properties: read by their internal slots, or refused by name. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runOptions } from "./support/runtime.ts";

const FOLDER = new URL("./fixtures/hostile/", import.meta.url);

/** The end of a program, with the last line that it printed. */
interface Ended {
  readonly code: number | string;
  readonly last: string;
  readonly errors: string;
}

/** Runs a program in this runtime, because a failure would crash the tests. */
function run(name: string): Promise<Ended> {
  const program = fileURLToPath(new URL(`${name}.ts`, FOLDER));
  const args = [...runOptions(), program];
  const options = { timeout: 120_000, maxBuffer: 1 << 24 };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.signal ?? error.code ?? 1;
      const last = stdout.trim().split("\n").at(-1) ?? "";
      resolve({ code, last, errors: stderr });
    });
  });
}

describe("an argument with misleading properties", () => {
  for (
    const [what, name] of [
      ["a typed array whose properties are not its own", "views"],
      ["an array that is another one at every look", "arrays"],
      ["a getter that changes another argument", "getters"],
    ] as const
  ) {
    it(`is read as it is, or refused by name: ${what}`, async () => {
      const { code, last, errors } = await run(name);
      assert.equal(code, 0, `${name} ended with ${code} after "${last}":\n${errors}`);
    });
  }
});
