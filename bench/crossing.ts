/**
 * What it costs to get from JavaScript into the library: nothing, a buffer, a string by length and
 * script, transcoding (by the runtime's own `encodeInto`, and as it is done here) apart from counting;
 * and what it costs to get ids back, in an array of their own or in the caller's.
 *
 *     bun bench/crossing.ts [--brief] [--out FILE]
 *     deno run -A bench/crossing.ts [--brief] [--out FILE]
 *
 * @module
 */
import { measure } from "mitata";
import { Tokenizer } from "../mod.ts";
import { native } from "../src/ffi/load.ts";
import { TextBuffer } from "../src/text_buffer.ts";
import { rounded } from "./measure.ts";
import { type Bench, expect, program } from "./program.ts";
import { alignRight } from "./text_table.ts";
import { type TextClass, TextWalk } from "./text_walk.ts";

/** A step of the way in, timed alone. */
export interface Crossing {
  /** What is done. */
  readonly step:
    | "empty"
    | "buffer"
    | "TextEncoder"
    | "transcode"
    | "count"
    | "encode"
    | "encodeInto";
  /** How JavaScript holds the string; absent where there is none. */
  readonly script?: Script;
  /** UTF-16 units per string. */
  readonly size?: number;
  /** Median, 25th and 75th percentile, in nanoseconds a call. */
  readonly ns: number;
  readonly low: number;
  readonly high: number;
}

/** What decides how a runtime transcodes a string. */
export const SCRIPTS = ["ASCII", "Latin-1", "“ASCII”", "CJK"] as const;

/** One of {@linkcode SCRIPTS}; “ASCII” is such a text in quotation marks, which makes it UTF-16. */
export type Script = (typeof SCRIPTS)[number];

const CLASSES: Readonly<Record<Script, TextClass>> = {
  "ASCII": "english",
  "Latin-1": "european",
  "“ASCII”": "english",
  "CJK": "cjk",
};

const SIZES = [10, 100, 1_000, 2_000, 4_000, 6_000, 10_000, 100_000, 1_000_000];

/** Enough different strings that no runtime profits from having encoded one before. */
const STRINGS_PER_SIZE = 512;
const CHARACTERS_PER_SIZE = 4_000_000;

const bench: Bench<Crossing[]> = {
  name: "crossing",

  async run(brief) {
    const library = native();
    const kilobyte = new Uint8Array(new ArrayBuffer(1024));
    const results: Crossing[] = [];
    results.push({ step: "empty", ...await time(() => library.sluice_library_abi_hash(), brief) });
    results.push({
      step: "buffer",
      ...await time(() => library.sluice_library_version(kilobyte, 0), brief),
    });
    using tokenizer = new Tokenizer("o200k_base");
    const ids = new Uint32Array(new ArrayBuffer(4 << 20));
    const encoder = new TextEncoder();
    const utf8 = new Uint8Array(new ArrayBuffer(3 << 20));
    for (const script of SCRIPTS) {
      for (const size of brief ? SIZES.slice(0, 3) : SIZES) {
        const strings = stringsOf(script, size);
        const buffer = new TextBuffer();
        const next = cycle(strings);
        const runtime = await time(() => encoder.encodeInto(next(), utf8), brief);
        results.push({ step: "TextEncoder", script, size, ...runtime });
        const transcode = await time(() => buffer.write(next()), brief);
        const count = await time(() => tokenizer.count(next()), brief);
        results.push({ step: "transcode", script, size, ...transcode });
        results.push({ step: "count", script, size, ...count });
        const encode = await time(() => tokenizer.encode(next()), brief);
        const encodeInto = await time(() => tokenizer.encodeInto(next(), ids), brief);
        results.push({ step: "encode", script, size, ...encode });
        results.push({ step: "encodeInto", script, size, ...encodeInto });
      }
    }
    return results;
  },

  check(results) {
    for (const { step, ns } of results) expect(ns > 0 && Number.isFinite(ns), `${step} takes time`);
    const cheapest = results.find(({ step }) => step === "empty")!;
    const dearest = Math.max(...results.map(({ ns }) => ns));
    expect(cheapest.ns < dearest, "the empty crossing is cheaper than a string's");
  },

  describe(results) {
    const rows = [["", "characters", "ns", "25 %", "75 %"]];
    for (const { step, script, size, ns, low, high } of results) {
      const name = script === undefined ? `${step} crossing` : `${step} ${script}`;
      rows.push([name, String(size ?? ""), ...[ns, low, high].map((n) => n.toPrecision(3))]);
    }
    return alignRight(rows);
  },
};

/** mitata's measurement of one function, in nanoseconds. */
async function time(
  call: () => unknown,
  brief: boolean,
): Promise<Pick<Crossing, "ns" | "low" | "high">> {
  const { p50, p25, p75 } = await measure(call, {
    min_cpu_time: brief ? 1e6 : 2e8,
    min_samples: brief ? 4 : 12,
    warmup_samples: brief ? 1 : 10,
  });
  return { ns: rounded(p50), low: rounded(p25), high: rounded(p75) };
}

function stringsOf(script: Script, size: number): string[] {
  const count = Math.max(2, Math.min(STRINGS_PER_SIZE, CHARACTERS_PER_SIZE / size));
  const walk = new TextWalk(CLASSES[script]);
  const strings: string[] = [];
  while (strings.length < count) {
    strings.push(within(script, walk.next(size)));
  }
  return strings;
}

/** One character beyond its script would make the runtime hold a whole string in another way. */
function within(script: Script, text: string): string {
  if (script === "CJK") return text;
  const kept = text.replace(script === "Latin-1" ? /[^\0-\xff]/g : /[^\0-\x7f]/g, "e");
  const quoted = script === "“ASCII”" ? `“${kept.slice(2)}”` : kept;
  return JSON.parse(JSON.stringify(quoted)) as string;
}

function cycle(strings: readonly string[]): () => string {
  let at = 0;
  return () => {
    at = at + 1 < strings.length ? at + 1 : 0;
    return strings[at]!;
  };
}

if (import.meta.main) await program(bench);
