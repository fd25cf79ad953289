/**
 * A structural check of `plan.json`: whether a value that was parsed has the properties that its type tells.
 *
 * Which formats and encodings there are is not checked here.
 *
 * @module
 */
import type { InputFile, Part } from "../sources/source.ts";
import type { Plan, PlanOptions, Unit } from "./plan_types.ts";

/** A value of unknown shape. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown } | null | undefined;

/** Whether a value is the plan of a corpus. */
export function isPlan(value: Unchecked<Plan>): value is Plan {
  return areAll(value?.files, isFile) && areAll(value?.units, isUnit) &&
    areOptions(value?.options as Unchecked<PlanOptions>);
}

function areOptions(options: Unchecked<PlanOptions>): boolean {
  const strings = ["encoding", "vocabulary", "format", "field", "special"] as const;
  return strings.every((name) => typeof options?.[name] === "string") &&
    (options?.dtype === "u16" || options?.dtype === "u32") &&
    (options.idField === null || typeof options.idField === "string") &&
    isEos(options.eos as Unchecked<PlanOptions["eos"]>) &&
    isPack(options.pack as Unchecked<PlanOptions["pack"]>) &&
    isCount(options.unitBytes) && isCount(options.memory);
}

function isEos(eos: Unchecked<{ at: unknown; id: unknown }>): boolean {
  return eos === null || (eos?.at === "append" || eos?.at === "prepend") && isCount(eos.id);
}

function isPack(pack: Unchecked<{ length: unknown; pad: unknown }>): boolean {
  return pack === null ||
    isCount(pack?.length) && pack?.length !== 0 && (pack?.pad === null || isCount(pack?.pad));
}

function isFile(file: Unchecked<InputFile>): boolean {
  return typeof file?.path === "string" && typeof file.kind === "string" && isCount(file.size) &&
    typeof file.mtime === "number";
}

function isUnit(unit: Unchecked<Unit>): boolean {
  return isCount(unit?.bytes) && areAll(unit?.parts, isPart);
}

function isPart(part: Unchecked<Part>): boolean {
  return isCount(part?.file) && isCount(part?.from) && isCount(part?.to);
}

function areAll<T>(values: unknown, is: (value: T) => boolean): boolean {
  return Array.isArray(values) && values.every(is);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
