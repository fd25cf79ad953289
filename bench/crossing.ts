/**
 * The cost of a call into the library: without arguments, with a buffer, of a limit and of a lease, and with strings by
 * script and length, where transcoding is timed apart from counting.
 *
 * @module
 */
import { measure } from "mitata";
import { rate, RateLimiter, Tokenizer, UpstreamPool } from "../mod.ts";
import { native } from "../src/ffi/load.ts";
import { TextBuffer } from "../src/text_buffer.ts";
import { rounded } from "./measure.ts";
import { program } from "./program.ts";
import type { Cell } from "./record.ts";
import { type TextClass, TextWalk } from "./text_walk.ts";

/** The class and the characters of each script. “ASCII” is in quotation marks, which makes it UTF-16. */
const SCRIPTS: Readonly<Record<string, readonly [TextClass, RegExp?]>> = {
  "ASCII": ["english", /[^\0-\x7f]/g],
  "Latin-1": ["european", /[^\0-\xff]/g],
  "“ASCII”": ["english", /[^\0-\x7f]/g],
  "CJK": ["cjk"],
};
const SIZES = [10, 100, 1_000, 2_000, 4_000, 6_000, 10_000, 100_000, 1_000_000];
/** Many strings, so that no runtime can reuse the transcoding of one. */
const STRINGS_PER_SIZE = 512;
const CHARACTERS_PER_SIZE = 4_000_000;

async function run(brief: boolean): Promise<Cell[]> {
  const library = native();
  using tokenizer = new Tokenizer("o200k_base");
  const kilobyte = new Uint8Array(new ArrayBuffer(1024));
  const utf8 = new Uint8Array(new ArrayBuffer(3 << 20));
  const ids = new Uint32Array(new ArrayBuffer(4 << 20));
  const encoder = new TextEncoder();
  using limiter = new RateLimiter({ limits: { rpm: rate({ limit: 1e9, per: "minute" }) } });
  const key = limiter.key("tenant");
  using pool = new UpstreamPool({
    name: "crossing",
    upstreams: [{ id: "a", maxInFlight: 8 }],
  });
  const cells: Cell[] = [
    { step: "empty", ...await time(() => library.sluice_library_abi_hash(), brief) },
    { step: "buffer", ...await time(() => library.sluice_library_version(kilobyte, 0), brief) },
    { step: "take", ...await time(() => limiter.take(key), brief) },
    { step: "lease", ...await time(() => pool.tryAcquire()!.release(), brief) },
  ];
  for (const script of Object.keys(SCRIPTS)) {
    for (const size of brief ? SIZES.slice(0, 2) : SIZES) {
      const strings = stringsOf(script, size);
      const buffer = new TextBuffer();
      let at = 0;
      const next = () => strings[at = at + 1 < strings.length ? at + 1 : 0]!;
      const steps = {
        "TextEncoder": () => encoder.encodeInto(next(), utf8),
        "transcode": () => buffer.write(next()),
        "count": () => tokenizer.count(next()),
        "encode": () => tokenizer.encode(next()),
        "encodeInto": () => tokenizer.encodeInto(next(), ids),
      };
      for (const [step, call] of Object.entries(steps)) {
        cells.push({ step, script, size, ...await time(call, brief) });
      }
    }
  }
  return cells;
}

/** Measures one function by mitata. */
async function time(
  call: () => unknown,
  brief: boolean,
): Promise<{ ns: number; low: number; high: number }> {
  const { p50, p25, p75 } = await measure(call, {
    gc: false,
    min_cpu_time: brief ? 1 : 2e8,
    ...(brief ? { min_samples: 1, batch_samples: 64 } : {}),
  });
  return { ns: rounded(p50), low: rounded(p25), high: rounded(p75) };
}

function stringsOf(script: string, size: number): string[] {
  const [textClass, beyond] = SCRIPTS[script]!;
  const walk = new TextWalk(textClass);
  const count = Math.max(2, Math.min(STRINGS_PER_SIZE, CHARACTERS_PER_SIZE / size));
  return walk.take(count, size).map((text) => {
    // A single character beyond the script would change how the runtime holds the string.
    const kept = beyond === undefined ? text : text.replace(beyond, "e");
    const string = script === "“ASCII”" ? `“${kept.slice(2)}”` : kept;
    return JSON.parse(JSON.stringify(string)) as string;
  });
}

if (import.meta.main) await program({ name: "crossing", run });
