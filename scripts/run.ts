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

/**
 * Runs a command, shows its output as it comes unless it is to be quiet, and returns it. After `limitMs` it is
 * terminated; a test runner then says what it was doing.
 */
export function execute(
  [file, ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  isQuiet = false,
  limitMs = 0,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file!, args, {
      env: { ...process.env, NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
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

/** The summary of `bun test`. */
export function bun(output: string): Tally {
  return last(output, /^ *(\d+) pass$/gm, /^ *(\d+) fail$/gm);
}

/** The summary of `deno test`: it counts a `describe` as one test with steps, and the steps are what Bun calls tests. */
export function deno(output: string): Tally {
  return last(
    output,
    /\d+ passed \((\d+) steps?\)|(\d+) passed/g,
    /\d+ failed \((\d+) steps?\)|(\d+) failed/g,
  );
}

/**
 * The summary of `node --test`, whose reporter begins each line with a sign. It counts a test that did not run because
 * its suite failed as cancelled.
 */
export function node(output: string): Tally {
  const { passed, failed } = last(output, /^ℹ pass (\d+)$/gm, /^ℹ fail (\d+)$/gm);
  return { passed, failed: failed + last(output, /^ℹ cancelled (\d+)$/gm, /^$/g).passed };
}

/** The numbers that match last, since tests print too. */
function last(output: string, passed: RegExp, failed: RegExp): Tally {
  const number = (pattern: RegExp) => {
    const match = [...output.matchAll(pattern)].at(-1);
    return Number(match?.[1] ?? match?.[2] ?? 0);
  };
  return { passed: number(passed), failed: number(failed) };
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
