/**
 * Texts and ids that arrive in parts, and cuts: a push to a counter or decoder, truncation and chunks.
 *
 * @module
 */
import { Tokenizer } from "../mod.ts";
import { expect, program } from "./program.ts";
import { race } from "./race.ts";
import type { Cell } from "./record.ts";
import { TextWalk } from "./text_walk.ts";

interface Work {
  readonly work: string;
  /** How many pushes it makes; undefined for a single call. */
  readonly pushes?: number;
  readonly run: () => unknown;
}

async function run(brief: boolean): Promise<Cell[]> {
  using tokenizer = new Tokenizer("o200k_base");
  const works = worksOf(tokenizer, brief ? 1e4 : 1e6);
  const contenders = works.map(({ work, pushes, run }) => ({
    cell: { work, per: pushes === undefined ? "call" : "push" },
    call: run,
    operations: pushes ?? 1,
  }));
  return await race("streamed", contenders, brief);
}

function worksOf(tokenizer: Tokenizer, length: number): Work[] {
  const prose = new TextWalk("english").next(length);
  const parts = slices(prose, 4);
  const ids = tokenizer.encode(prose);
  const pushing = (name: string, parts: readonly string[]): Work => ({
    work: `counter, ${name}`,
    pushes: parts.length,
    run() {
      using counter = tokenizer.counter();
      for (const part of parts) counter.push(part);
      expect(counter.count === tokenizer.count(parts.join("")), `${name} is counted exactly`);
    },
  });
  return [
    pushing("prose by 4 characters", parts),
    pushing("prose by 40 characters", slices(prose, 40)),
    ...["a", " ", "\n", "1", "中", "_"].map((unit) =>
      pushing(`${JSON.stringify(unit)} one by one`, slices(unit.repeat(length), 1))
    ),
    {
      work: "counting from the start after each of 1,000 parts of 4",
      pushes: 1000,
      run() {
        let text = "";
        for (const part of parts.slice(0, 1000)) tokenizer.count(text += part);
      },
    },
    {
      work: "decoder, id by id",
      pushes: ids.length,
      run() {
        const decoder = tokenizer.decoder();
        for (const id of ids) decoder.push(id);
        decoder.end();
      },
    },
    ...(["head", "tail", "middle"] as const).map((side) => ({
      work: `truncate 1 MB to 1,000 tokens, ${side}`,
      run: () => tokenizer.truncate(prose, 1000, { side }),
    })),
    {
      work: "chunks of 1 MB, size 512, overlap 64",
      run: () => tokenizer.chunks(prose, { size: 512, overlap: 64 }),
    },
    { work: "chunks of 1 MB, size 16", run: () => tokenizer.chunks(prose, { size: 16 }) },
    { work: "count of 1 MB, for comparison", run: () => tokenizer.count(prose) },
  ];
}

function slices(text: string, length: number): string[] {
  return Array.from(
    { length: Math.ceil(text.length / length) },
    (_, i) => text.slice(i * length, (i + 1) * length),
  );
}

if (import.meta.main) await program({ name: "streamed", run });
