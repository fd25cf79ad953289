/**
 * `plan.json`: the plan as text, the same in every runtime, and what differs between two plans.
 *
 * @module
 */
import { SluiceError } from "../../errors.ts";
import { isPlan } from "./plan_shape.ts";
import type { Plan, PlanOptions } from "./plan_types.ts";

/** Differences that are named in full. */
const MOST_NAMED = 3;

/** The text of a plan: a line for each file and each unit. */
export function planText({ version, sluice, options, files, units }: Plan): string {
  const list = (items: readonly unknown[]) =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]`;
  return `{"version":${version},"sluice":${JSON.stringify(sluice)},\n` +
    `"options":${JSON.stringify(options)},\n` +
    `"files":${list(files)},\n"units":${list(units)}}\n`;
}

/**
 * Reads a plan.
 *
 * @param at The path of the file, for errors.
 * @throws {SluiceError} `SLUICE_CORPUS_DAMAGED`.
 */
export function parsePlan(text: string, at: string): Plan {
  let plan: Plan;
  try {
    plan = JSON.parse(text);
  } catch (cause) {
    throw damaged(at, "is not JSON", cause);
  }
  if (typeof plan !== "object" || plan === null || typeof plan.version !== "number") {
    throw damaged(at, "is not the plan of a corpus");
  }
  if (plan.version !== 1) {
    throw damaged(at, `has version ${plan.version}, and this version of sluice knows version 1`);
  }
  if (!isPlan(plan)) throw damaged(at, "is not the plan of a corpus");
  return plan;
}

/** Whether two plans are the same but for the version of sluice that made them. */
export function isSamePlan(a: Plan, b: Plan): boolean {
  return planText({ ...a, sluice: "" }) === planText({ ...b, sluice: "" });
}

/** What differs between the plan of a folder and another, for people. */
export function planDifferences(there: Plan, here: Plan): readonly string[] {
  const options = Object.keys(here.options) as (keyof PlanOptions)[];
  const isOther = there.options.encoding !== here.options.encoding;
  const differences = options.flatMap((name) => {
    // These follow from the encoding.
    if (isOther && (name === "vocabulary" || name === "eos")) return [];
    const [a, b] = [JSON.stringify(there.options[name]), JSON.stringify(here.options[name])];
    return a === b ? [] : [`${name} is ${a} there and ${b} here`];
  });
  const before = new Map(there.files.map((file) => [file.path, file]));
  const now = new Map(here.files.map((file) => [file.path, file]));
  for (const [path, file] of now) {
    const old = before.get(path);
    if (old === undefined) differences.push(`${path} is not in it`);
    else if (old.size !== file.size) {
      differences.push(`${path} had ${old.size} bytes and has ${file.size}`);
    } else if (old.mtime !== file.mtime) differences.push(`${path} was modified`);
    else if (old.kind !== file.kind) differences.push(`${path} was read as ${old.kind}`);
  }
  for (const path of before.keys()) {
    if (!now.has(path)) differences.push(`${path} is only in it`);
  }
  if (differences.length === 0) differences.push("the units differ");
  const more = differences.length - MOST_NAMED;
  return more > 0 ? [...differences.slice(0, MOST_NAMED), `${more} more`] : differences;
}

function damaged(at: string, what: string, cause?: unknown): SluiceError {
  return new SluiceError("SLUICE_CORPUS_DAMAGED", `${at} ${what}`, { cause });
}
