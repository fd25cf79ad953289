/**
 * The section about the way into the library.
 *
 * @module
 */
import { type Crossing, SCRIPTS } from "../crossing.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";
import type { Section } from "./section.ts";

/** An empty crossing, a buffer, and strings by script and length. */
function all({ runtimes }: BenchRecord<Crossing>): string[] {
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
  const transcoding: string[][] = [];
  for (const script of SCRIPTS) {
    for (const size of sizes) {
      const of = (wanted: Crossing["step"]) => (crossing: Crossing) =>
        crossing.step === wanted && crossing.script === script && crossing.size === size;
      const transcode = row("", of("transcode")).slice(1);
      const count = row("", of("count")).slice(1);
      const title = `${size.toLocaleString("en")} characters of ${script}`;
      rows.push([title, ...transcode.map((time, i) => `${time} of ${count[i]}`)]);
      if (script !== "ASCII" && size > 1_000) {
        const runtime = row("", of("TextEncoder")).slice(1);
        transcoding.push([title, ...runtime.map((time, i) => `${time}, ${transcode[i]}`)]);
      }
      if (script !== "ASCII") continue;
      const encode = row("", of("encode")).slice(1);
      const into = row("", of("encodeInto")).slice(1);
      encoding.push([title, ...encode.map((time, i) => `${time}, ${into[i]}`)]);
    }
  }
  const runtimeNames = results.map(({ runtime }) => runtime);
  return [
    "What a call costs. For strings: transcoding to UTF-8, of the whole `count`. “ASCII” is a text in " +
    "quotation marks, which makes its string one of UTF-16.",
    "",
    ...markdown(["", ...runtimeNames], rows),
    "",
    "Transcoding of long texts beyond ASCII, by the runtime's `encodeInto` and as it is done here. V8 is " +
    "slow at it, so in Deno the library makes the UTF-8 from a copy of the string's units where that is " +
    "sooner:",
    "",
    ...markdown(["", ...runtimeNames], transcoding),
    "",
    "`encode`, whose ids are an array of their own, and `encodeInto`:",
    "",
    ...markdown(["", ...runtimeNames], encoding),
  ];
}

/** The section of the bench `crossing`. */
export const CROSSING: Section<Crossing> = { title: "What a crossing costs", all };
