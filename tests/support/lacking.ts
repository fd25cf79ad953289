/**
 * Reasons to skip tests where a machine lacks a program that they need.
 *
 * @module
 */
import process from "node:process";

/** Whether this is CI, which installs all that tests need, as far as scripts and workflows of this project can. */
export function isCi(): boolean {
  return process.env["CI"] === "true";
}

/**
 * The reason, for the option `skip` of `node:test`. Throws it in CI, where it would not be seen that tests are skipped.
 *
 * @param what What is lacking and what installs it.
 */
export function lacking(what: string): string {
  if (isCi()) throw new Error(`CI must run these tests, but ${what}`);
  const reason = `skipped: ${what}`;
  // Bun does not show why a test is skipped.
  console.warn(reason);
  return reason;
}
