/** The suites of `make cross`, and the tables that are made of their record. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import type { Platform, Result } from "../bench/platform_record.ts";
import { platformTables } from "../bench/tables/platforms.ts";
import { CI, PORTABLE, SUITES } from "../scripts/cross/suites.ts";
import { TARGETS } from "../scripts/release/targets.ts";
import { bun, deno, node } from "../scripts/run.ts";

const NAMES = TARGETS.map(({ name }) => name);

/** A record in which every suite passed seven tests. */
function platforms(without?: string): Platform[] {
  return NAMES.map((target) => {
    const results = SUITES.filter((suite) => suite.target === target)
      .filter(({ runtime }) => `${target} ${runtime}` !== without)
      .map(({ runtime, how, tests }): Result => ({
        runtime: `${{ bun: "Bun", deno: "Deno", node: "Node.js" }[runtime]} 9.1`,
        how,
        files: tests.length,
        seconds: 1,
        passed: 7,
        failed: 0,
      }));
    return { target, compiler: "rustc 9", bytes: 12_345_678, results };
  });
}

describe("the suites of other platforms", () => {
  it("name targets of a release and tests that are there, once each", () => {
    for (const { target, runtime, tests } of SUITES) {
      assert.ok(NAMES.includes(target), target);
      assert.equal(new Set(tests).size, tests.length, `${runtime} on ${target}`);
      for (const name of tests) assert.ok(existsSync(`tests/${name}_test.ts`), name);
    }
    for (const name of PORTABLE) assert.ok(existsSync(`tests/${name}_test.ts`), name);
    for (const name of CI) assert.ok(SUITES.some(({ target }) => target === name), name);
  });
});

describe("the tables of platforms", () => {
  const tables = (list: readonly Platform[]) =>
    platformTables({ date: "2026-11-29", command: "make cross", platforms: list });

  it("say how many tests passed and how they were run", () => {
    const short = tables(platforms()).get("platforms.short")!;
    assert.match(short, /^\| tests that passed \| Bun 9\.1 \| Deno 9\.1 \| Node\.js 9\.1 \|$/m);
    assert.match(
      short,
      /^\| Linux arm64, glibc 2\.17 \| 7 by qemu \| 7 by qemu \| 7 by qemu \|$/m,
    );
    assert.match(short, /^\| Windows x64 \| 7 under Wine \| not run \| not run \|$/m);
    assert.match(short, /^\| macOS arm64 and x64 \| linked, not run \| linked, not run \|/m);
    assert.match(short, /^\| Linux x64 and arm64, musl \| 7; 7 by qemu \| no such build \|/m);
    assert.equal(short.match(/^\| /gm)!.length, 7);
    const runs = tables(platforms()).get("platforms.runs")!;
    assert.equal(runs.match(/^\| `/gm)!.length, SUITES.length);
  });

  it("show what failed and what did not run", () => {
    const [first, ...others] = platforms("linux-arm64-gnu deno");
    const failed = first!.results.map((result) => ({ ...result, failed: 2 }));
    const list = [{ ...first!, results: failed }, ...others];
    const short = tables(list.filter(({ target }) => !target.startsWith("darwin"))).get(
      "platforms.short",
    )!;
    assert.match(short, /\| Linux x64, glibc 2\.17 \| 7, 2 failed \|/);
    assert.match(short, /\| Linux arm64, glibc 2\.17 \| 7 by qemu \| not run \| 7 by qemu \|/);
    assert.match(short, /\| macOS arm64 and x64 \| not run \| not run \| not run \|/);
  });
});

describe("the summaries of test runners", () => {
  it("are read where they stand, after what tests print", () => {
    assert.deepEqual(bun(" 3 pass\n 1 fail\nRan 4 tests"), { passed: 3, failed: 1 });
    assert.deepEqual(bun("crashed"), { passed: 0, failed: 0 });
    assert.deepEqual(deno("5 passed\nFAILED | 4 passed (18 steps) | 1 failed (2 steps) (6s)"), {
      passed: 18,
      failed: 2,
    });
    assert.deepEqual(deno("ok | 4 passed | 0 failed (6s)"), { passed: 4, failed: 0 });
    assert.deepEqual(node("ℹ pass 8\nℹ fail 1\nℹ cancelled 2\n"), { passed: 8, failed: 3 });
  });
});
