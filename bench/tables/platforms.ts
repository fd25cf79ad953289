/**
 * The tables of platforms, made of the newest record of `make cross`: a short one for the README, and one with every run.
 *
 * @module
 */
import {
  newestPlatforms,
  type Platform,
  type PlatformRecord,
  type Result,
} from "../platform_record.ts";
import { markdown } from "../text_table.ts";

const RUNTIMES = ["Bun", "Deno", "Node.js"] as const;

const MARKERS = ["short", "runs", "libraries", "source"].map((name) => `platforms.${name}`);

/** Why a runtime did not run: for a part of targets' names. */
const REASONS: readonly (readonly [part: string, runtime: string, reason: string])[] = [
  ["darwin", "", "linked, not run"],
  ["musl", "Deno", "no such build"],
];

/** The rows of the README: targets whose cells are shown together. */
const ROWS: readonly (readonly [title: string, ...targets: string[]])[] = [
  ["Linux x64, glibc 2.17", "linux-x64-gnu"],
  ["Linux arm64, glibc 2.17", "linux-arm64-gnu"],
  ["Linux x64 and arm64, musl", "linux-x64-musl", "linux-arm64-musl"],
  ["Windows x64", "win32-x64"],
  ["macOS arm64 and x64", "darwin-arm64", "darwin-x64"],
];

/** Both tables by marker: that of the README, and that of `docs/platforms.md`. */
export function platformTables(
  record: PlatformRecord | undefined = newestPlatforms(),
): Map<string, string> {
  if (record === undefined) return new Map(MARKERS.map((name) => [name, "*Not run yet.*"]));
  const { date, platforms } = record;
  const name = `${date}-platforms.json`;
  return new Map([
    ["platforms.short", `\n${short(platforms).join("\n")}\n`],
    ["platforms.runs", block(runs(platforms))],
    ["platforms.libraries", block(libraries(platforms))],
    ["platforms.source", `[${date}](bench/record/${name})`],
  ]);
}

function block(lines: readonly string[]): string {
  return `\n${lines.join("\n")}\n\n`;
}

function short(platforms: readonly Platform[]): string[] {
  const versions = RUNTIMES.map((runtime) =>
    platforms.flatMap(({ results }) => results).find((result) => isOf(result, runtime))?.runtime ??
      runtime
  );
  const rows = ROWS.map(([title, ...targets]) => {
    return [title, ...RUNTIMES.map((runtime) => shortCell(platforms, targets, runtime))];
  });
  return markdown(["tests that passed", ...versions], rows);
}

/** What ran for each of the targets, or why nothing did. */
function shortCell(
  platforms: readonly Platform[],
  targets: readonly string[],
  runtime: string,
): string {
  const cells = targets.map((target) => {
    const results = platforms.find((platform) => platform.target === target)?.results;
    const result = results?.find((result) => isOf(result, runtime));
    if (result !== undefined) return outcome(result);
    const reason = REASONS.find(([part, of]) => target.includes(part) && runtime.startsWith(of));
    return results === undefined ? "not run" : reason?.[2] ?? "not run";
  });
  return [...new Set(cells)].join("; ");
}

function outcome({ how, passed, failed }: Result): string {
  const tests = failed > 0 ? `${passed}, ${failed} failed` : String(passed);
  return how === "natively" ? tests : `${tests} ${how}`;
}

function runs(platforms: readonly Platform[]): string[] {
  const rows = platforms.flatMap(({ target, results }) =>
    results.map(({ runtime, how, files, passed, failed }) =>
      [`\`${target}\``, runtime, how, files, passed, failed].map(String)
    )
  );
  return markdown(["target", "", "how", "files", "passed", "failed"], rows);
}

function libraries(platforms: readonly Platform[]): string[] {
  const rows = platforms.map(({ target, compiler, bytes }) => [
    `\`${target}\``,
    `${(bytes / 1e6).toFixed(1)} MB`,
    compiler,
  ]);
  return markdown(["target", "library", "built by"], rows);
}

function isOf({ runtime }: Result, name: string): boolean {
  return runtime.startsWith(`${name} `);
}
