/**
 * Checks a commit message: a conventional subject of at most 72 characters, an empty line, and a body that says why.
 *
 *     bun scripts/commit_message.ts          # the newest commit that is no merge
 *     bun scripts/commit_message.ts FILE     # a message in a file, as git passes it to a hook
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

const TYPES = "feat|fix|perf|refactor|docs|test|bench|build|ci|style|chore|revert";
const SUBJECT = new RegExp(`^(?:${TYPES})(?:\\([a-z0-9-]+\\))?!?: [^A-Z\\s].*[^.\\s]$`);

/** What is wrong with a message; empty if nothing is. */
export function faults(message: string): string[] {
  // Lines that git itself leaves out.
  const lines = message.split("\n").filter((line) => !line.startsWith("#"));
  const [subject = "", gap = "", ...body] = lines.join("\n").trimEnd().split("\n");
  const found: string[] = [];
  if (/^(?:Merge|Revert|fixup!|squash!) /.test(subject)) return found;
  if (!SUBJECT.test(subject)) {
    found.push(`the subject is not "type(scope): imperative", where type is ${TYPES}`);
  }
  if (subject.length > 72) found.push(`the subject has ${subject.length} characters, more than 72`);
  if (gap.trim() !== "") found.push("the line after the subject is not empty");
  if (body.every((line) => line.trim() === "")) found.push("there is no body that says why");
  return found;
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  const newest = ["log", "-1", "--no-merges", "--format=%B"];
  const message = file === undefined
    ? execFileSync("git", newest, { encoding: "utf8" })
    : readFileSync(file, "utf8");
  const found = faults(message);
  for (const fault of found) console.error(`${message.split("\n")[0]}: ${fault}`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
