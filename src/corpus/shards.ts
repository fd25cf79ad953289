/**
 * Static assignment of units to the machines of a cluster: machine i of n takes the units k with k mod n = i.
 *
 * @module
 */
import process from "node:process";
import { show } from "../errors.ts";

/** One of several runs that share a corpus. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** The only run. */
export const WHOLE: Shard = { index: 0, count: 1 };

/**
 * Reads `i/n`, or `auto` for the environment of a Kubernetes Indexed Job (`JOB_COMPLETION_INDEX` with
 * `JOB_COMPLETIONS` or `SLUICE_SHARDS`) or of a Slurm array (`SLURM_ARRAY_TASK_ID`, `_COUNT`, `_MIN`).
 *
 * @throws {RangeError} If it is neither, or the environment says nothing.
 */
export function parseShard(
  value: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Shard {
  if (value === "auto") return fromEnvironment(environment);
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(value) ?? [];
  if (count === undefined) {
    throw new RangeError(`shard must be "i/n", such as "0/8", or "auto", not ${show(value)}`);
  }
  return checkShard({ index: Number(index), count: Number(count) });
}

/** @throws {RangeError} If it is not one of `count`. */
export function checkShard({ index, count }: Shard): Shard {
  const isWhole = Number.isSafeInteger(index) && Number.isSafeInteger(count);
  if (isWhole && index >= 0 && index < count) return { index, count };
  throw new RangeError(`shard must be one of 0/n to (n - 1)/n, not ${show(`${index}/${count}`)}`);
}

/** The units of a run. */
export function unitsOf({ index, count }: Shard, units: number): number[] {
  const own: number[] = [];
  for (let unit = index; unit < units; unit += count) own.push(unit);
  return own;
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Shard {
  const read = (name: string): number | undefined => {
    const value = environment[name];
    if (value === undefined || value === "") return undefined;
    if (!/^\d{1,9}$/.test(value)) {
      throw new RangeError(`${name} must be a whole number, not ${show(value)}`);
    }
    return Number(value);
  };
  const job = read("JOB_COMPLETION_INDEX");
  if (job !== undefined) {
    const count = read("JOB_COMPLETIONS") ?? read("SLUICE_SHARDS");
    if (count !== undefined) return checkShard({ index: job, count });
    throw new RangeError(
      "shard auto: JOB_COMPLETION_INDEX is set, and how many there are is not: set SLUICE_SHARDS " +
        "to the completions of the Job",
    );
  }
  const task = read("SLURM_ARRAY_TASK_ID");
  const tasks = read("SLURM_ARRAY_TASK_COUNT");
  if (task !== undefined && tasks !== undefined) {
    const step = Math.max(read("SLURM_ARRAY_TASK_STEP") ?? 1, 1);
    return checkShard({ index: (task - (read("SLURM_ARRAY_TASK_MIN") ?? 0)) / step, count: tasks });
  }
  throw new RangeError(
    "shard auto: neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT is set",
  );
}
