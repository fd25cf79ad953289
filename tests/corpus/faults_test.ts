/**
 * Runs of `sluice tokenize` into full, read-only and contested folders, and of inputs that change: each ends with the
 * code of its cause, loses nothing, and is completed by the next run.
 *
 * @module
 */
// cspell:ignore XFSZ
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, renameSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { listOf, readRecord, treeOf } from "./folder.ts";
import { linesOf, makeCorpus, Random, writeInput } from "./generator.ts";
import { BASE_MEMORY, WORKER_MEMORY } from "./memory.ts";
import { isWorking, peakOf, run, start } from "./program.ts";
import { NO_MOUNT, Space } from "./space.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-corpus-"));
after(() => rmSync(folder, { recursive: true, force: true }));
makeCorpus(folder, 3, 800_000);

function tokenize(out: string, ...args: readonly string[]): string[] {
  return [
    "tokenize",
    "in",
    "--out",
    out,
    "--encoding",
    "o200k_base",
    "--unit",
    "60KB",
    "--threads",
    "1",
    "--quiet",
    ...args,
  ];
}

function temporaries(out: string): string[] {
  return listOf(join(folder, out)).filter((name) => name.includes(".tmp"));
}

describe("a run whose folder fails", () => {
  let whole = "";
  before(async () => {
    assert.equal((await run(folder, tokenize("whole"))).code, 1);
    whole = treeOf(join(folder, "whole"));
  });

  it("stops when it is full, keeps what is committed, and goes on with more space", {
    skip: NO_MOUNT,
    timeout: 60_000,
  }, async () => {
    using space = new Space(join(folder, "full"), "512k");
    const first = await run(folder, tokenize("full"));
    assert.equal(first.code, 5, first.stderr);
    assert.match(first.stderr, /ENOSPC|space/i);
    assert.deepEqual(temporaries("full"), []);
    const kept = listOf(space.folder).filter((name) => /^shard-.*\.json$/.test(name));
    assert.ok(kept.length > 0, "nothing was committed");
    space.change("size=64m");
    const second = await run(folder, tokenize("full"));
    assert.equal(second.code, 1, second.stderr);
    assert.equal(treeOf(space.folder), whole);
  });

  it("stops when it is read-only", { skip: NO_MOUNT, timeout: 60_000 }, async () => {
    using space = new Space(join(folder, "locked"), "64m");
    space.change("ro");
    const refused = await run(folder, tokenize("locked"));
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(refused.stderr, /EROFS|read-only/i);
    space.change("rw");
    assert.equal((await run(folder, tokenize("locked"))).code, 1);
    assert.equal(treeOf(space.folder), whole);
  });

  it("stops when a file may grow no more", { timeout: 60_000 }, async () => {
    // In blocks of 512 bytes. The signal that would end the process is ignored, so that the write fails.
    const before = "trap '' XFSZ; ulimit -f 100";
    const limited = await run(folder, tokenize("limited"), { before });
    assert.equal(limited.code, 5, limited.stderr);
    assert.match(limited.stderr, /EFBIG|too large/i);
    assert.deepEqual(temporaries("limited"), []);
    assert.equal((await run(folder, tokenize("limited"))).code, 1);
    assert.equal(treeOf(join(folder, "limited")), whole);
  });

  it("refuses a second run on it, which says so", { timeout: 60_000 }, async () => {
    const first = start(folder, tokenize("contested"));
    assert.ok(await isWorking(first, join(folder, "contested"), 0));
    first.signal("SIGSTOP");
    const second = await run(folder, tokenize("contested"));
    first.signal("SIGCONT");
    assert.equal(second.code, 5, second.stderr);
    assert.match(second.stderr, new RegExp(`process ${first.child.pid} `));
    assert.equal((await first.ended).code, 1);
    assert.equal(treeOf(join(folder, "contested")), whole);
  });

  it("ends resumable by SIGINT and SIGTERM, without temporary files", {
    timeout: 60_000,
  }, async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const running = start(folder, tokenize("signalled"));
      assert.ok(await isWorking(running, join(folder, "signalled"), signal === "SIGINT" ? 1 : 4));
      running.signal(signal);
      const { code, stderr } = await running.ended;
      assert.equal(code, 4, stderr);
      assert.deepEqual(temporaries("signalled"), []);
      assert.ok(!listOf(join(folder, "signalled")).includes("manifest.json"));
    }
    assert.equal((await run(folder, tokenize("signalled"))).code, 1);
    assert.equal(treeOf(join(folder, "signalled")), whole);
  });
});

describe("a run whose input changed since its plan", () => {
  const MTIME = new Date("2026-01-02T03:04:05.000Z");
  let whole = "";
  before(async () => {
    assert.equal((await run(folder, tokenize("unchanged"))).code, 1);
    whole = treeOf(join(folder, "unchanged"));
  });

  const input = join(folder, "in/b.jsonl");
  const WAYS = {
    "in its time": {
      change: () => utimesSync(input, new Date(), new Date()),
      restore: () => utimesSync(input, MTIME, MTIME),
    },
    "and is gone": {
      change: () => renameSync(input, join(folder, "aside")),
      restore: () => renameSync(join(folder, "aside"), input),
    },
  };
  for (const [name, { change, restore }] of Object.entries(WAYS)) {
    it(`fails these units and does the others: ${name}`, { timeout: 60_000 }, async () => {
      const out = `changed ${name}`;
      // It has its plan, and stands still while the file changes.
      const running = start(folder, tokenize(out));
      assert.ok(await isWorking(running, join(folder, out), 0));
      running.signal("SIGSTOP");
      change();
      running.signal("SIGCONT");
      const failed = await running.ended;
      restore();
      const units = readRecord<{ units: unknown[] }>(join(folder, out), "plan.json").units.length;
      assert.equal(failed.code, 1, failed.stderr);
      assert.match(failed.stderr, /in\/b\.jsonl/);
      const commits = listOf(join(folder, out)).filter((file) => /^shard-.*\.json$/.test(file));
      assert.ok(commits.length > 0 && commits.length < units, `${commits.length} of ${units}`);
      assert.ok(!listOf(join(folder, out)).includes("manifest.json"));
      const done = await run(folder, tokenize(out));
      assert.equal(done.code, 1, done.stderr);
      assert.equal(treeOf(join(folder, out)), whole);
    });
  }
});

describe("a large input", () => {
  const MIB = 2 ** 20;
  const QUIET = ["--encoding", "o200k_base", "--quiet"];

  it("is read in pieces, also within one unit", { timeout: 60_000 }, async () => {
    const { bytes } = linesOf(new Random(9), "", 2 * MIB, { isClean: true });
    writeInput(folder, "large/in.jsonl", Buffer.concat(Array.from({ length: 48 }, () => bytes)));
    const measure = async (name: string) => {
      const args = ["tokenize", name, "--out", `${name}.out`, "--threads", "1", "--unit", "1GB"];
      const { peak, ended } = await peakOf(folder, [...args, ...QUIET]);
      assert.equal(ended.code, 0, ended.stderr);
      return peak;
    };
    writeInput(folder, "small.jsonl", '{"text": "a"}\n');
    const [small, large] = [await measure("small.jsonl"), await measure("large/in.jsonl")];
    const more = large - small;
    assert.ok(more < BASE_MEMORY + WORKER_MEMORY, `${more / MIB} MiB more than a run of one line`);
  });

  it("may have nothing but bad lines", { timeout: 60_000 }, async () => {
    const peaks: number[] = [];
    for (const [name, lines] of [["one bad", 1], ["all bad", 700_000]] as const) {
      writeInput(folder, `${name}.jsonl`, "1\n".repeat(lines));
      const args = ["tokenize", `${name}.jsonl`, "--out", `${name}.out`, "--threads", "1"];
      const { peak, ended } = await peakOf(folder, [...args, ...QUIET]);
      assert.equal(ended.code, 1, ended.stderr);
      assert.equal(
        readRecord<{ bad: number }>(join(folder, `${name}.out`), "manifest.json").bad,
        lines,
      );
      peaks.push(peak);
    }
    const more = peaks[1]! - peaks[0]!;
    assert.ok(more < BASE_MEMORY + WORKER_MEMORY, `${more / MIB} MiB more than a run of one line`);
  });

  it("may be one line", { timeout: 60_000 }, async () => {
    const long = `{"text": "${"long ".repeat(3_000_000)}"}\n{"text": "short"}\n`;
    writeInput(folder, "long.jsonl", long);
    const whole = await run(folder, ["tokenize", "long.jsonl", "--out", "long", ...QUIET]);
    assert.equal(whole.code, 0, whole.stderr);
    const most = ["--memory", "24MB"];
    const bad = await run(folder, [
      "tokenize",
      "long.jsonl",
      "--out",
      "long bad",
      ...QUIET,
      ...most,
    ]);
    assert.equal(bad.code, 1, bad.stderr);
    const { documents, bad: count } = readRecord<{ documents: number; bad: number }>(
      join(folder, "long bad"),
      "manifest.json",
    );
    assert.deepEqual([documents, count], [1, 1]);
  });
});
