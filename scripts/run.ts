/**
 * Commands, as the gate and what runs beside it run them: shown as they go, and counted.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";

/** How many passed and failed. */
export interface Tally {
  passed: number;
  failed: number;
}

/** Runs a command, shows its output as it comes unless it is to be quiet, and returns it. */
export function execute(
  [file, ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  isQuiet = false,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file!, args, {
      env: { ...process.env, NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        output += text;
        if (!isQuiet) process.stdout.write(text);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Sums every `test result:` line of cargo, one for each test binary. */
export function cargo(output: string): Tally {
  return sum(output.matchAll(/^test result: .*? (\d+) passed; (\d+) failed/gm));
}

/** The tally of a script that closes with `N passed, N failed`. */
export function closing(output: string): Tally {
  return sum([...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].slice(-1));
}

function sum(matches: Iterable<RegExpMatchArray>): Tally {
  const tally = { passed: 0, failed: 0 };
  for (const [, passed, failed] of matches) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
  }
  return tally;
}
