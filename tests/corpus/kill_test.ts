/**
 * Runs of `sluice tokenize` that are killed by -9 in the middle of their work and resumed write the bytes of a run that
 * was not: in every format, with one thread and two, and as one process in each runtime.
 *
 * `make corpus-proof` does the same some hundred times.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { listOf, readRecord, treeOf } from "./folder.ts";
import { FORMAT_RUNS, type FormatRun } from "./formats.ts";
import { makeCorpus, Random } from "./generator.ts";
import { killUntilDone } from "./killing.ts";
import { type Ended, isWorking, run, RUNTIMES, start } from "./program.ts";

const UNIT = "24KB";
const SIZE = 300_000;
const ENCODING = ["--encoding", "o200k_base"];

const folder = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
after(() => rmSync(folder, { recursive: true, force: true }));
makeCorpus(folder, 1, SIZE);

function tokenize(out: string, ...args: readonly string[]): string[] {
  return [
    "tokenize",
    "in",
    "--out",
    out,
    "--unit",
    UNIT,
    "--quiet",
    ...args,
  ];
}

/** The corpus has bad lines, which the exit code tells. */
function assertDone({ code, stderr }: Ended): void {
  assert.equal(code, 1, stderr);
}

/** A run that is not disturbed, and one that is, at the same time. */
async function compare({ name, args, threads, tree }: FormatRun): Promise<void> {
  const killed = `${name} killed`;
  const threadsOf = (count: number) => ["--threads", `${count}`];
  const [whole, resumed] = await Promise.all([
    run(folder, tokenize(name, ...args, ...threadsOf(3 - threads))),
    killUntilDone({
      cwd: folder,
      args: tokenize(killed, ...args, ...threadsOf(threads)),
      out: killed,
      kills: 2,
      waitMs: 6,
      random: new Random(name.length),
    }),
  ]);
  assertDone(whole);
  assertDone(resumed.last);
  assert.ok(resumed.killed > 0, "it was never in the middle of its work");
  assert.equal(treeOf(join(folder, killed)), treeOf(join(folder, name)));
  assert.deepEqual(listOf(join(folder, name)).filter((file) => /tmp|lock/.test(file)), []);
  assert.equal(readRecord<{ tree: string }>(join(folder, name), "manifest.json").tree, tree);
}

describe("a run that is killed and resumed writes what an undisturbed one does", () => {
  const results = FORMAT_RUNS.map(() => Promise.withResolvers<void>());
  before(() => {
    const waiting = FORMAT_RUNS.entries();
    const work = async () => {
      for (const [i, format] of waiting) {
        const { promise, resolve, reject } = results[i]!;
        promise.catch(() => {});
        await compare(format).then(resolve, reject);
      }
    };
    for (let i = 0; i < 2; i++) void work();
  });

  for (const [i, { name }] of FORMAT_RUNS.entries()) {
    it(name, { timeout: 60_000 }, async () => await results[i]!.promise);
  }
});

describe("processes that share the units of a corpus", () => {
  let whole = "";
  before(async () => {
    assertDone(await run(folder, tokenize("whole", ...ENCODING)));
    whole = treeOf(join(folder, "whole"));
  });

  it("write the same, one in each runtime, each of them killed", {
    timeout: 60_000,
  }, async () => {
    const ends = await Promise.all([0, 1, 2].map((share) =>
      killUntilDone({
        runtime: RUNTIMES[share]!,
        cwd: folder,
        args: tokenize("shared", ...ENCODING, "--shard", `${share}/3`, "--threads", "1"),
        out: "shared",
        kills: 1,
        waitMs: 4,
        random: new Random(share),
      })
    ));
    for (const { last } of ends) assertDone(last);
    assert.equal(treeOf(join(folder, "shared")), whole);
  });

  it("write the same if one of them stands still while another does its units", {
    timeout: 60_000,
  }, async () => {
    const slow = start(
      folder,
      tokenize("stopped", ...ENCODING, "--shard", "0/2", "--threads", "1"),
    );
    assert.ok(await isWorking(slow, join(folder, "stopped"), 1), "it ended before it was stopped");
    slow.signal("SIGSTOP");
    try {
      assertDone(await run(folder, tokenize("stopped", ...ENCODING, "--shard", "1/2")));
      // Another way to share the same units, so that it does those of the process that stands still too.
      assertDone(await run(folder, tokenize("stopped", ...ENCODING, "--shard", "0/1")));
      assert.ok(listOf(join(folder, "stopped")).includes("manifest.json"));
    } finally {
      slow.signal("SIGCONT");
    }
    assertDone(await slow.ended);
    assert.equal(treeOf(join(folder, "stopped")), whole);
  });
});
