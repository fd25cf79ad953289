/**
 * The section about the engine without JavaScript, from the record of the Criterion benches,
 * which `cargo bench` makes and not `bench/run.ts`.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { geometricMean } from "../measure.ts";
import { markdown } from "../text_table.ts";
import { times } from "./goals.ts";

const RECORDS = new URL("../record/", import.meta.url);

/** Rivals in the order of the record's columns, and how many times as fast the engine is to be. */
const RIVALS = [["tiktoken-rs", 10], ["bpe-openai", 4], ["tiktoken", 1]] as const;

interface Line {
  readonly title: string;
  readonly group: string;
  readonly ratios: readonly number[];
}

/** The newest record and its lines. */
function newest(): { name: string; lines: Line[] } {
  const name = readdirSync(RECORDS).filter((file) => file.endsWith("-criterion-engines.txt"))
    .sort().at(-1)!;
  const text = readFileSync(new URL(name, RECORDS), "utf8");
  const lines = [...text.matchAll(/^(count|in turn) +(\w+_base) +(\S.*?) {2,}(\d.*)$/gm)].map(
    ([, group, encoding, corpus, numbers]): Line => ({
      title: `${corpus}, ${group}, \`${encoding}\``,
      group: group!,
      ratios: numbers!.trim().split(/ +/).map(Number).slice(-RIVALS.length),
    }),
  );
  return { name, lines };
}

/** What is short of what was aimed at, as a sentence for `docs/benchmarks.md`. */
export function rustMissed(): string {
  const { lines } = newest();
  const short = RIVALS.flatMap(([rival, least], i) =>
    lines.filter(({ ratios }) => ratios[i]! < least)
      .map(({ title, ratios }) => `${times(ratios[i]!)} ${rival} (${title})`)
  );
  const aims = RIVALS.map(([rival, least]) => `${least}x ${rival}`).join(", ");
  return `The engine alone was to be ${aims}; short of that: ` +
    `${short.join("; ") || "nothing"}.`;
}

/** Leads by group of texts, and every line that is short of what was aimed at. */
export function rustTable(): string[] {
  const { name, lines } = newest();
  const rows = [...new Set(lines.map(({ group }) => group))].map((group) => [
    group === "count" ? "64 KB again and again" : "a megabyte in steps of 4 KB, round and round",
    ...RIVALS.map((_, i) => {
      const ratios = lines.filter((line) => line.group === group).map(({ ratios }) => ratios[i]!);
      const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
      return `**${times(geometricMean(ratios))}** (${times(low)}–${times(high)})`;
    }),
  ]);
  return [
    "How many times as fast the engine counts as other Rust crates: geometric mean over 8 corpora and " +
    "2 encodings, lowest and highest:",
    "",
    ...markdown(["", ...RIVALS.map(([rival]) => rival)], rows),
    "",
    `${rustMissed()} Cycles of the processor could not be counted on this machine.`,
    "",
    `<sub>[Record](bench/record/${name}).</sub>`,
  ];
}
