/**
 * Text and ids that arrive in parts, and cutting texts: what a push of a counter or decoder costs,
 * a megabyte pushed in the smallest parts, truncation and chunks of a megabyte.
 *
 *     bun bench/streamed.ts [--brief] [--out FILE]
 *     deno run -A bench/streamed.ts [--brief] [--out FILE]
 *
 * @module
 */
import { Tokenizer } from "../mod.ts";
import { rounded, type Spread, spread } from "./measure.ts";
import { type Bench, expect, program } from "./program.ts";
import { duration } from "./tables/duration.ts";
import { alignRight } from "./text_table.ts";
import { TextWalk } from "./text_walk.ts";

/** What one kind of work costs. */
export interface StreamedCell extends Spread {
  readonly work: string;
  /** What the nanoseconds are of: a push, or the whole. */
  readonly per: "push" | "call";
}

interface Work {
  readonly name: string;
  /** How many pushes it makes; undefined for a single call. */
  readonly pushes?: number;
  run(): void;
}

const bench: Bench<StreamedCell[]> = {
  name: "streamed",

  run(brief) {
    using tokenizer = new Tokenizer("o200k_base");
    const works = worksOf(tokenizer, brief ? 1e4 : 1e6);
    const times = works.map((): number[] => []);
    for (let round = 0; round < (brief ? 1 : 7); round++) {
      works.forEach(({ run, pushes = 1 }, i) => {
        const start = performance.now();
        run();
        times[i]!.push((performance.now() - start) * 1e6 / pushes);
      });
    }
    return Promise.resolve(works.map(({ name, pushes }, i) => {
      const { median, low, high } = spread(times[i]!);
      return {
        work: name,
        per: pushes === undefined ? "call" : "push",
        median: rounded(median),
        low: rounded(low),
        high: rounded(high),
      };
    }));
  },

  check(cells) {
    for (const { work, median } of cells) expect(median > 0, `${work} takes time`);
  },

  describe(cells) {
    const rows = cells.map(({ work, per, median, low, high }) => [
      work,
      `${duration(median)} a ${per}`,
      `${duration(low)} – ${duration(high)}`,
    ]);
    return alignRight([["o200k_base", "median", "range"], ...rows]);
  },
};

function worksOf(tokenizer: Tokenizer, length: number): Work[] {
  const prose = new TextWalk("english").next(length);
  const deltas = slices(prose, 4);
  const ids = tokenizer.encode(prose);
  const pushing = (name: string, parts: readonly string[]): Work => ({
    name: `counter, ${name}`,
    pushes: parts.length,
    run() {
      using counter = tokenizer.counter();
      for (const part of parts) counter.push(part);
      const { count } = counter;
      expect(count === tokenizer.count(parts.join("")), `${name} is counted exactly`);
    },
  });
  const whole = (name: string, run: () => unknown): Work => ({ name, run: () => void run() });
  return [
    pushing("prose by 4 characters", deltas),
    pushing("prose by 40 characters", slices(prose, 40)),
    ...["a", " ", "\n", "1", "中", "_"].map((unit) =>
      pushing(`${JSON.stringify(unit)} one by one`, slices(unit.repeat(length), 1))
    ),
    {
      name: "counting afresh after each of 1,000 parts of 4",
      pushes: 1000,
      run() {
        let text = "";
        for (const delta of deltas.slice(0, 1000)) tokenizer.count(text += delta);
      },
    },
    {
      name: "decoder, id by id",
      pushes: ids.length,
      run() {
        const decoder = tokenizer.decoder();
        for (const id of ids) decoder.push(id);
        decoder.end();
      },
    },
    ...(["head", "tail", "middle"] as const).map((side) =>
      whole(`truncate 1 MB to 1,000 tokens, ${side}`, () => {
        tokenizer.truncate(prose, 1000, { side });
      })
    ),
    whole("chunks of 1 MB, size 512, overlap 64", () => {
      tokenizer.chunks(prose, { size: 512, overlap: 64 });
    }),
    whole("chunks of 1 MB, size 16", () => tokenizer.chunks(prose, { size: 16 })),
    whole("count of 1 MB, to compare", () => tokenizer.count(prose)),
  ];
}

function slices(text: string, length: number): string[] {
  const all: string[] = [];
  for (let at = 0; at < text.length; at += length) all.push(text.slice(at, at + length));
  return all;
}

if (import.meta.main) await program(bench);
