/**
 * The record of what was built and run for each platform, from which the tables of platforms are made.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const FOLDER = new URL("record/", import.meta.url);
const NAME = /^\d{4}-\d\d-\d\d-platforms\.json$/;

/** How a target's programs run on a Linux x64 machine. */
export type How = "natively" | "by qemu" | "under Wine";

/** What some tests came to. */
export interface Result {
  /** "Bun 1.4.5", "C". */
  readonly runtime: string;
  readonly how: How | "linked";
  readonly files: number;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

/** One target: what built it, and what ran. */
export interface Platform {
  readonly target: string;
  readonly compiler: string;
  readonly bytes: number;
  readonly results: readonly Result[];
}

/** What ran on one day. */
export interface PlatformRecord {
  readonly date: string;
  readonly command: string;
  readonly platforms: readonly Platform[];
}

/** Writes what ran today. Targets that did not run keep what today's record has of them. */
export function writePlatforms(platforms: readonly Platform[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const file = new URL(`${date}-platforms.json`, FOLDER);
  const before = existsSync(file) ? read(file).platforms : [];
  const kept = before.filter(({ target }) => !platforms.some((other) => other.target === target));
  const all = [...kept, ...platforms].map((platform) => JSON.stringify(platform)).join(",\n");
  const head = `{"date":"${date}","command":"make cross","platforms":[\n`;
  writeFileSync(file, `${head}${all}\n]}\n`);
  console.log(`wrote bench/record/${date}-platforms.json`);
}

/** The newest record, or undefined if there is none yet. */
export function newestPlatforms(): PlatformRecord | undefined {
  const newest = readdirSync(FOLDER).filter((name) => NAME.test(name)).sort().at(-1);
  return newest === undefined ? undefined : read(new URL(newest, FOLDER));
}

function read(file: URL): PlatformRecord {
  return JSON.parse(readFileSync(file, "utf8")) as PlatformRecord;
}
