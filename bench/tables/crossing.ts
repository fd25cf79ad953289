/**
 * The README's section about the way into the library.
 *
 * @module
 */
import { type Crossing, SCRIPTS } from "../crossing.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";

/** An empty crossing, a buffer, and strings by script and length. */
export function crossingTable({ runtimes }: BenchRecord<Crossing>): string[] {
  const results = Object.values(runtimes);
  const sizes = [
    ...new Set(results[0]!.result.flatMap(({ size }) => size === undefined ? [] : [size])),
  ];
  const row = (title: string, matches: (crossing: Crossing) => boolean) => [
    title,
    ...results.map(({ result }) => {
      const found = result.find(matches);
      return found === undefined ? "–" : duration(found.ns);
    }),
  ];
  const rows = [
    row("nothing, and back", ({ step }) => step === "empty"),
    row("a buffer", ({ step }) => step === "buffer"),
  ];
  const encoding: string[][] = [];
  for (const script of SCRIPTS) {
    for (const size of sizes) {
      const of = (wanted: Crossing["step"]) => (crossing: Crossing) =>
        crossing.step === wanted && crossing.script === script && crossing.size === size;
      const transcode = row("", of("transcode")).slice(1);
      const count = row("", of("count")).slice(1);
      const title = `${size.toLocaleString("en")} characters of ${script}`;
      rows.push([title, ...transcode.map((time, i) => `${time} of ${count[i]}`)]);
      if (script !== "ASCII") continue;
      const encode = row("", of("encode")).slice(1);
      const into = row("", of("encodeInto")).slice(1);
      encoding.push([title, ...encode.map((time, i) => `${time}, ${into[i]}`)]);
    }
  }
  const runtimeNames = results.map(({ runtime }) => runtime);
  return [
    "What a call costs. For strings: transcoding to UTF-8, of the whole `count`.",
    "",
    ...markdown(["", ...runtimeNames], rows),
    "",
    "`encode`, whose ids are an array of their own, and `encodeInto`:",
    "",
    ...markdown(["", ...runtimeNames], encoding),
  ];
}
