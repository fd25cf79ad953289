/**
 * Checks of the structure of chat requests. Their errors have the path and the value.
 *
 * @module
 */
import { show } from "../errors.ts";

/** An object of a request. */
export type ChatFields = Readonly<Record<string, unknown>>;

/** Whether a field is present. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Refuses what is not an object. */
export function fields(path: string, value: unknown): ChatFields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} must be an object, not ${show(value)}`);
  }
  return value as ChatFields;
}

/** Refuses what is not a string. */
export function string(path: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new TypeError(`${path} must be a string, not ${show(value)}`);
  }
  return value;
}

/** The error for a value of another API. */
export function otherFormat(path: string, value: string, format: string): TypeError {
  return new TypeError(
    `${path} is ${value}, which is ${format} and not of the Chat Completions API. ` +
      "countRequest counts requests of any format",
  );
}

/** The input of a call, which is an object in other APIs. */
export function callText(path: string, value: unknown): string {
  if (typeof value === "object" && value !== null) {
    throw new TypeError(
      `${path} must be a string, not ${show(value)}. countRequest takes objects as well`,
    );
  }
  return string(path, value);
}
