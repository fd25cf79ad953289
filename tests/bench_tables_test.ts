/** The tables of the benches: pivots by specification, goals, and documents with markers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { filled } from "../bench/tables.ts";
import { Cells } from "../bench/tables/cells.ts";
import { type Goal, outcome } from "../bench/tables/goals.ts";
import { pivot } from "../bench/tables/pivot.ts";
import { rendered } from "../bench/tables/render.ts";
import { runCommand } from "./support/runtime.ts";

const KEYS = ["name", "outcome", "size"];
const CELLS = new Cells([
  { runtime: "Bun", name: "ours", outcome: "admitted", median: 20, low: 10, high: 30 },
  { runtime: "Bun", name: "theirs", outcome: "admitted", median: 90, low: 80, high: 95 },
  { runtime: "Deno", name: "ours", outcome: "admitted", median: 2_000, low: 1_900, high: 2_100 },
  { runtime: "Bun", name: "ours", outcome: "denied", median: 50, low: 40, high: 60 },
], KEYS);
/** Speeds, one for each round. */
const SPEEDS = new Cells([
  { runtime: "Bun", name: "ours", size: 1, speed: [10, 40, 30] },
  { runtime: "Bun", name: "theirs", size: 1, speed: [5, 10, 15] },
  { runtime: "Bun", name: "ours", size: 2, speed: [4] },
  { runtime: "Bun", name: "theirs", size: 2, speed: [8] },
], KEYS);

describe("the cells of a record", () => {
  it("are refused if they lack a field that tells them apart", () => {
    const cell = { runtime: "Bun", contender: "ours", median: 20 };
    const other = { ...cell, contender: "theirs" };
    assert.throws(() => new Cells([cell, other], ["name"]), /two cells have runtime,name/);
  });
});

describe("a pivot table", () => {
  it("has a row and a column for each combination of values, and ratios to another cell", () => {
    const spec = {
      where: { outcome: "admitted" },
      rows: ["name"],
      columns: ["runtime", "outcome"],
      show: [{ time: "median" }, " (", { times: "median", to: { name: "ours" } }, ")"],
    };
    assert.deepEqual(pivot(spec, CELLS), [
      "|  | Bun, admitted | Deno, admitted |",
      "| --- | ---: | ---: |",
      "| ours | 20 ns (1.0x) | 2.0 µs (1.0x) |",
      "| theirs | 90 ns (4.5x) | – |",
    ]);
  });

  it("shows several figures of a cell, and leaves out empty rows and columns if it is sparse", () => {
    const spec = {
      rows: [{ field: "name", titles: { ours: "sluice" } }],
      columns: ["runtime", [
        { title: "low", show: [{ figure: "low", unit: " ns", decimals: 1 }] },
        { title: "none", match: { outcome: "neither" }, show: [{ time: "high" }] },
      ]],
      where: { outcome: { not: "denied" } },
      isSparse: true,
    };
    assert.deepEqual(pivot(spec, CELLS), [
      "|  | Bun, low | Deno, low |",
      "| --- | ---: | ---: |",
      "| sluice | 10.0 ns | 1900.0 ns |",
      "| theirs | 80.0 ns | – |",
    ]);
  });

  it("shows no ratio to a cell that was not measured, as in a brief run", () => {
    const spec = {
      where: { name: "theirs" },
      rows: ["name"],
      columns: ["runtime"],
      show: [{ percent: "median", to: { name: "the floor" } }],
    };
    assert.equal(pivot(spec, CELLS).at(-1), "| theirs | – |");
  });

  it("takes ratios round by round, and counts the cells that are lost", () => {
    const spec = {
      where: { name: "theirs" },
      rows: ["name"],
      columns: [[
        { title: "lead", show: [{ lead: "speed", to: { name: "ours" } }] },
        { title: "lost", show: [{ losses: "speed", to: { name: "ours" } }] },
      ]],
    };
    // The rounds' ratios are 2, 4 and 2; the ratio of the medians is 3.
    assert.deepEqual(
      pivot(spec, SPEEDS).at(-1),
      "| theirs | **1.0x** (0.50x–2.0x) | 1 of 2, worst 0.50x |",
    );
  });

  it("refuses to show one of several cells", () => {
    const spec = { rows: ["name"], columns: ["runtime"], show: [{ time: "median" }] };
    assert.throws(() => pivot(spec, CELLS), /2 cells: .*"ours"/);
  });
});

describe("a goal", () => {
  const goal: Goal = {
    goal: "at least 4x theirs",
    atLeast: 4,
    where: { name: "theirs" },
    ratio: "median",
    to: { name: "ours" },
  };

  it("is met or missed by its bounds", () => {
    assert.equal(outcome(goal, CELLS.in("Bun")), "4.5x: met");
    assert.equal(outcome({ ...goal, atLeast: 5 }, CELLS.in("Bun")), "4.5x: **missed**");
    assert.equal(outcome({ ...goal, atMost: 4.4 }, CELLS.in("Bun")), "4.5x: **missed**");
  });

  it("has no outcome where it was not measured", () => {
    assert.equal(outcome(goal, CELLS.in("Deno")), "–");
  });

  it("takes the mean, the extremes or the lost of all cells", () => {
    const lead: Goal = {
      goal: "",
      where: { name: "theirs" },
      lead: ["speed"],
      to: { name: "ours" },
    };
    const shown = (["mean", "min", "max", "lost"] as const).map((take) =>
      outcome({ ...lead, take, atMost: 0 }, SPEEDS)
    );
    assert.deepEqual(
      shown.map((text) => text.split(":")[0]),
      ["1.0x", "0.50x", "2.0x", "1"],
    );
  });
});

describe("a document", () => {
  const texts = new Map<string, string | string[]>([["a.table", ["| [x](bench/y) |"]], [
    "a.n",
    "7",
  ]]);

  it("gets tables as blocks and figures within sentences, with links from its folder", () => {
    const page = "<!-- bench:a.table -->old<!-- /bench:a.table -->\n" +
      "It is <!-- bench:a.n --><!-- /bench:a.n --> now.";
    assert.equal(
      filled(page, "docs/benchmarks.md", texts),
      "<!-- bench:a.table -->\n\n| [x](../bench/y) |\n\n<!-- /bench:a.table -->\n" +
        "It is <!-- bench:a.n -->7<!-- /bench:a.n --> now.",
    );
  });

  it("is refused with an unknown marker, or if the whole page lacks a table", () => {
    const page = "<!-- bench:b --><!-- /bench:b -->";
    assert.throws(() => filled(page, "README.md", texts), /README.md: .* under b/);
    assert.throws(() => filled("", "docs/benchmarks.md", texts), /does not show a\.table/);
    assert.equal(filled("", "README.md", texts), "");
  });
});

describe("the newest records", () => {
  it("fill every table and goal with figures", () => {
    for (const [name, text] of rendered()) {
      const lines = typeof text === "string" ? [text] : text;
      if (lines[0] === "*Not measured yet.*") continue;
      assert.doesNotMatch(lines.join("\n"), /NaN|undefined|Infinity/, name);
      if (typeof text !== "string" && text.length > 1) {
        assert.ok(text.length >= 3, `${name} is empty`);
      }
    }
  });

  // In a process of its own: Plot moves lines by half a pixel where there is a global `it`, as in Bun's tests.
  it("are what the plots show", () => {
    const [program, ...args] = runCommand(
      fileURLToPath(new URL("../bench/plots.ts", import.meta.url)),
    );
    const { status, stdout, stderr } = spawnSync(program!, [...args, "--check"], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^plots: (?=.*\btokenizer\b).*\bgateway\b/m);
  });
});
