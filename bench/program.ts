/**
 * The command line of a bench program: `--brief` measures everything once and briefly, as a test of the bench;
 * `--out FILE` writes the result as JSON instead of tables.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { machine, runtimeName, runtimeVersion } from "./machine.ts";
import type { Cell, RuntimeResult } from "./record.ts";
import { recordTables } from "./tables/render.ts";

/** A bench. */
export interface Bench<C extends object> {
  /** The name of its file and of its record. */
  readonly name: string;
  /** Measures, and throws if a result is wrong. */
  run(brief: boolean): Promise<C[]>;
  /** Why it cannot run here, if it cannot. */
  readonly missing?: string | false;
}

/** The result of a bench that was skipped. */
const NOTHING: RuntimeResult = { runtime: "none", seconds: 0, result: [] };

/** Runs a bench as the flags of the command line say, and ends the process. */
export async function program<C extends object>({ name, run, missing }: Bench<C>): Promise<never> {
  const { values: { brief, out } } = parseArgs({
    args: process.argv.slice(2),
    options: { brief: { type: "boolean", default: false }, out: { type: "string" } },
  });
  if (missing) {
    console.warn(`${name}: ${missing}`);
    // A test of the benches goes on without it; a record would lack it.
    if (brief && out !== undefined) writeFileSync(out, JSON.stringify(NOTHING));
    process.exit(brief ? 0 : 1);
  }
  const start = performance.now();
  progress(`${name}: measuring in ${runtimeName()}${brief ? ", briefly" : ""}`);
  const cells = await run(brief);
  expect(cells.length > 0, `${name} has cells`);
  for (const cell of cells) checkFigures(cell);
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const result: RuntimeResult = { runtime: runtimeVersion(), seconds, result: cells as Cell[] };
  if (out === undefined) {
    const record = {
      bench: name,
      date: new Date().toISOString().slice(0, 10),
      command: process.argv.slice(1).join(" "),
      machine: machine(),
      runtimes: { [runtimeName()]: result },
    };
    console.log(recordTables(record).join("\n"));
  } else {
    writeFileSync(out, JSON.stringify(result));
  }
  process.exit(0);
}

/** Prints a line on stderr, if that is a terminal. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}

/** Throws unless `condition` holds: a result that cannot be right is not recorded. */
export function expect(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`Bench result is not sane: ${claim}`);
}

/** Checks that all figures of a cell are finite. */
function checkFigures(cell: object): void {
  const figures = Object.values(cell).flatMap((value) =>
    typeof value === "object" && value !== null ? Object.values(value) : [value]
  );
  const isFinite = figures.every((value) => typeof value !== "number" || Number.isFinite(value));
  expect(isFinite, `finite figures in ${JSON.stringify(cell)}`);
}
