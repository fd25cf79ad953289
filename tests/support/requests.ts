/**
 * An oracle for `countRequest`: the strings of a body that were neither counted nor reported. It walks the
 * body itself, without the tables.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { resolveModel } from "../../mod.ts";
import { countBody } from "../../src/tokenizer/request/body_count.ts";
import type { RequestCount } from "../../src/tokenizer/request/result.ts";
import { recognise, type RequestFormat } from "../../src/tokenizer/request/formats.ts";

/** A body of `tests/fixtures/requests`; see the README there. */
export interface Fixture {
  readonly file: string;
  readonly format: RequestFormat;
  readonly silent: string;
  readonly model?: string;
  readonly body: Record<string, unknown>;
}

const FOLDER = new URL("../fixtures/requests/", import.meta.url);

/** All of them. */
export const FIXTURES: readonly Fixture[] = readdirSync(FOLDER).filter((file) =>
  file.endsWith(".json")
).map((file) => ({ file, ...JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) }));

/** A string of a body, and where it stands. */
interface Found {
  readonly path: string;
  readonly key: string;
  readonly text: string;
}

/** A count, the texts that were counted for it, and how often something was. */
export interface Spied {
  readonly count: RequestCount;
  readonly counted: string;
  readonly calls: number;
}

/** Counts a body with a tokenizer that writes down what it is asked. A character is a token. */
export function spy(body: unknown, model = "gpt-4o", format?: RequestFormat): Spied {
  const texts: string[] = [];
  const count = countBody(body, format ?? recognise(body), resolveModel(model), (text) => {
    texts.push(text);
    return text.length;
  });
  return { count, counted: texts.join("\0"), calls: texts.length };
}

/** The strings of `body` that went unseen, but for short ones in fields that are `silent`. */
export function unseen(body: unknown, silent: string, spied: Spied): string[] {
  const { count, counted } = spied;
  const quiet = new Set(silent.split(" "));
  // A part that is reported or estimated includes its contents.
  const covered = [
    ...count.uncounted.map(({ path }) => path),
    ...count.extras.filter(({ source }) => source !== undefined).map(({ path }) => path),
  ];
  return strings(body).filter(({ path, key, text }) => {
    if (text.trim() === "" || quiet.has(key) && text.length <= 512) return false;
    if (covered.some((place) => path === place || inside(path, place))) return false;
    const json = JSON.stringify(text).slice(1, -1);
    return !counted.includes(text) && !counted.includes(json);
  }).map(({ path, text }) => `${path}: ${text.slice(0, 60)}`);
}

function inside(path: string, place: string): boolean {
  return place !== "" && path.startsWith(place) && ".[".includes(path[place.length]!);
}

/** Every string within `value`, by the plainest walk. The key of an element is that of its array. */
export function strings(value: unknown, path = "", key = ""): Found[] {
  if (typeof value === "string") return [{ path, key, text: value }];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((it, i) => strings(it, `${path}[${i}]`, key));
  return Object.entries(value).flatMap(([name, it]) => {
    const at = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `[${JSON.stringify(name)}]`;
    const dot = path === "" || at.startsWith("[") ? "" : ".";
    return strings(it, `${path}${dot}${at}`, name);
  });
}
