/**
 * Cases, run one after the other, printed and counted.
 *
 * @module
 */
import { isCi } from "../support/lacking.ts";

/** How many cases passed, failed and were skipped. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const tally: Tally = { passed: 0, failed: 0, skipped: 0 };

/** Runs a case. What it returns is printed behind its name. */
export async function check(
  name: string,
  run: () => Promise<string | void> | string | void,
): Promise<void> {
  const started = performance.now();
  try {
    const told = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `ok      ${name} (${told === undefined ? "" : `${told}; `}${seconds} s)`,
    );
    tally.passed += 1;
  } catch (error) {
    console.log(
      `FAILED  ${name}\n${indented(String((error as Error).message ?? error))}`,
    );
    tally.failed += 1;
  }
}

/** Says what this machine lacks for a case. In CI, which has all that is installed for the cases, the case fails. */
export function lacks(name: string, what: string): void {
  if (!isCi()) return skip(name, what);
  console.log(`FAILED  ${name}\n${indented(`CI must run it, but ${what}`)}`);
  tally.failed += 1;
}

/** Says why a case cannot run here. */
export function skip(name: string, why: string): void {
  console.log(`skipped ${name}: ${why}`);
  tally.skipped += 1;
}

/** Adds the cases of another program. */
export function count(passed: number, failed: number): void {
  tally.passed += passed;
  tally.failed += failed;
}

/** All cases until now. */
export function results(): Readonly<Tally> {
  return tally;
}

function indented(text: string): string {
  return text.trimEnd().split("\n").map((line) => `        ${line}`).join("\n");
}
