/**
 * Reads limits from JSON.
 *
 * @module
 */
import { show } from "../../errors.ts";
import { checkKnown, type Known } from "../../known_options.ts";
import { isObject } from "../estimate/json_lines.ts";
import { type Limit, LIMIT_UNITS, type LimitSet, type LimitUnit } from "./limits.ts";

const FIELDS: Known<Limit> = {
  unit: true,
  limit: true,
  of: true,
  embeddings: true,
  source: true,
  date: true,
};

interface LimitFile {
  readonly name?: unknown;
  readonly limits?: unknown;
  readonly customId?: unknown;
}

const FILE_FIELDS: Known<LimitFile> = { name: true, limits: true, customId: true };

/**
 * The limits in the text of a file: `{"name","limits":[{"unit","limit","of","embeddings","source","date"}],"customId"}`.
 *
 * @param name The name for limits that have none.
 * @throws {TypeError} For a wrong type, a missing or an unknown field.
 * @throws {RangeError} For a wrong value. Both name the field.
 */
export function readLimits(text: string, name: string): LimitSet {
  const file = parse(text);
  checkKnown<LimitFile>("limits", file, FILE_FIELDS);
  const { limits, customId } = file;
  if (!Array.isArray(limits) || limits.length === 0) {
    throw new TypeError(`limits.limits must be a list with an element, not ${show(limits)}`);
  }
  return {
    name: file.name === undefined ? name : nonEmpty("limits.name", file.name),
    limits: limits.map((limit, i) => readLimit(`limits.limits[${i}]`, limit)),
    ...customId === undefined ? {} : { customId: pattern("limits.customId", customId) },
  };
}

function parse(text: string): object {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new TypeError("limits must be JSON");
  }
  if (!isObject(file)) throw new TypeError(`limits must be an object, not ${show(file)}`);
  return file;
}

function readLimit(path: string, value: unknown): Limit {
  checkKnown<Limit>(path, value, FIELDS);
  const { unit, limit, of = "file", embeddings = false, source, date } = value as Readonly<
    Record<keyof Limit, unknown>
  >;
  if (!(LIMIT_UNITS as readonly unknown[]).includes(unit)) {
    throw new RangeError(
      `${path}.unit must be one of ${LIMIT_UNITS.join(", ")}, not ${show(unit)}`,
    );
  }
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw new RangeError(`${path}.limit must be a whole number above 0, not ${show(limit)}`);
  }
  if (of !== "file" && of !== "request") {
    throw new RangeError(`${path}.of must be "file" or "request", not ${show(of)}`);
  }
  if (typeof embeddings !== "boolean") {
    throw new TypeError(`${path}.embeddings must be true or false, not ${show(embeddings)}`);
  }
  return {
    unit: unit as LimitUnit,
    limit: limit as number,
    of,
    embeddings,
    ...source === undefined ? {} : { source: nonEmpty(`${path}.source`, source) },
    ...date === undefined ? {} : { date: nonEmpty(`${path}.date`, date) },
  };
}

function nonEmpty(path: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${path} must be a text, not ${show(value)}`);
}

function pattern(path: string, value: unknown): RegExp {
  const source = nonEmpty(path, value);
  try {
    return new RegExp(source, "u");
  } catch {
    throw new RangeError(`${path} must be a regular expression, not ${show(value)}`);
  }
}
