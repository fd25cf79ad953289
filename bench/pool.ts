/**
 * Leases: what a pair of acquire and release costs beside the pools and semaphores of npm; handing
 * over between Workers; the line and the choice of an upstream as they grow; memory; how soon who
 * waits is woken, and what waiting costs.
 *
 *     bun bench/pool.ts [--brief] [--out FILE]
 *     deno run -A bench/pool.ts [--brief] [--out FILE]
 *
 * @module
 */
import { choices, lines, pairs } from "./pool/alone.ts";
import { contests, memory } from "./pool/between.ts";
import type { PoolCell } from "./pool/cells.ts";
import { wakes } from "./pool/wake.ts";
import { type Bench, expect, program } from "./program.ts";
import { duration } from "./tables/duration.ts";
import { alignRight } from "./text_table.ts";

export type { Chooser, PoolCell } from "./pool/cells.ts";

const bench: Bench<PoolCell[]> = {
  name: "pool",

  async run(brief) {
    return [
      ...await pairs(brief),
      ...await lines(brief),
      ...choices(brief),
      ...await contests(brief),
      ...await memory(brief),
      ...await wakes(brief),
    ];
  },

  check(cells) {
    for (const { part, name, median } of cells) {
      // Resident memory comes in pages and may not have grown at all in a brief run.
      expect(part === "memory" || median > 0, `${part} of ${name} takes time`);
    }
    for (const part of ["pair", "line", "choice", "contest", "memory", "wake"]) {
      expect(cells.some((cell) => cell.part === part), `there is a ${part}`);
    }
  },

  describe(cells) {
    const rows = cells.map((cell) => {
      const show = (value: number) =>
        cell.part === "memory" ? `${Math.round(value)} B` : duration(value);
      return [
        titleOf(cell),
        show(cell.median),
        `${show(cell.low)} – ${show(cell.high)}`,
        cell.part === "contest"
          ? `waits: half ${duration(cell.wait50)}, 99 % ${duration(cell.wait99)}, ` +
            `longest ${duration(cell.longest)}`
          : cell.part === "wake"
          ? `99 % ${duration(cell.wait99)}, the first ${duration(cell.first)}; ` +
            `${cell.idleCpu} % of a core while waiting`
          : "",
      ];
    });
    return alignRight([["", "median", "range", ""], ...rows]);
  },
};

function titleOf(cell: PoolCell): string {
  switch (cell.part) {
    case "pair":
      return `pair: ${cell.name}`;
    case "line":
      return `line of ${cell.waiters}: ${cell.name}`;
    case "choice":
      return `${cell.upstreams} upstreams: ${cell.name}`;
    case "contest":
      return `between Workers${cell.holds ? ", held for a turn" : ""}: ${cell.name}`;
    case "memory":
      return `memory of a ${cell.of}: ${cell.name}`;
    case "wake":
      return `wake: ${cell.name}, poll every ${cell.pollMs} ms`;
  }
}

if (import.meta.main) await program(bench);
