/** Counters that are never closed, made faster than the garbage collector frees them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runOptions } from "./support/runtime.ts";

const PROGRAM = fileURLToPath(new URL("./fixtures/forgotten_counters.ts", import.meta.url));

/** In a process of its own, which has no other handles and whose memory is freed at its end. */
function run(how: string): string {
  return execFileSync(process.execPath, [...runOptions(), PROGRAM, how], { encoding: "utf8" })
    .trim();
}

describe("a million counters that are never closed", () => {
  it("can be made in a program that lets the event loop run", () => {
    assert.equal(run("yields"), "1000000");
  });

  it("can be made in a loop in which nothing can be collected", () => {
    assert.equal(run("never yields"), "1000000");
  });
});
