/**
 * Python for tests, with numpy, pyarrow and tiktoken: readers of others for our files, and the truth for ids.
 *
 * @module
 */
// cspell:ignore pyarrow
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { lacking } from "./lacking.ts";
import { isReady, PYTHON, STATE } from "./python_environment.ts";

/** Why tests with Python are skipped, for the option `skip` of `node:test`; false if the environment is there. */
export const NO_PYTHON: string | false = isReady()
  ? false
  : lacking("there is no Python environment (scripts/install_python.ts makes it)");

/** Runs a program in Python and returns what it prints. A failure has its output as `stderr`. */
export async function python(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", program, ...args], {
    env: { ...process.env, ...STATE },
    maxBuffer: 1 << 30,
    timeout: 120_000,
  });
  return stdout;
}
