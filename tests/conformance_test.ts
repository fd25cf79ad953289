/** The goldens of PyPI tiktoken (see `conformance/README.md`), through the whole stack. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type EncodingName, ENCODINGS, Tokenizer } from "../mod.ts";

type Ids = Record<string, number[]>;

interface Ordinary {
  readonly same: Record<string, string>;
  readonly cases: { note?: string; text: string; wellFormed?: string; ids: Ids }[];
}

interface Specials {
  readonly cases: {
    encoding: EncodingName;
    text: string;
    allow: number[];
    ordinary: number[];
    error: { name: string; byteOffset: number } | null;
  }[];
}

interface Vocabularies {
  readonly vocabularies: {
    encoding: EncodingName;
    tokens: number;
    bytesSha256: string;
    samples: [number, string][];
    unknown: number[];
    twoNames?: { id: number; decodes: string; names: string[] };
  }[];
}

interface CodePoints {
  readonly same: Record<string, string>;
  readonly block: number;
  readonly contexts: string[];
  readonly digests: { encoding: string; blocks: string[] }[];
}

const TOPICS = [
  "hazards",
  "surrogates",
  "whitespace",
  "numbers",
  "contractions",
  "case_runs",
  "pairs",
  "mixed",
  "unicode_versions",
];

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`conformance/${name}.json`, import.meta.url), "utf8"));
}

const tokenizers = new Map(ENCODINGS.map((name) => [name, new Tokenizer(name)]));

/** SHA-256 over rows of (number, ids or bytes), as `conformance/README.md` lays them out. */
class Listing {
  readonly #hash = createHash("sha256");

  add(number: number, value: Uint32Array | Uint8Array): void {
    const head = new DataView(new ArrayBuffer(8));
    head.setUint32(0, number, true);
    head.setUint32(4, value.length, true);
    this.#hash.update(new Uint8Array(head.buffer));
    this.#hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

describe("goldens of tiktoken", () => {
  for (const topic of TOPICS) {
    it(`${topic}: ids, counts and the way back`, () => {
      const { same, cases } = read<Ordinary>(topic);
      assert.ok(cases.length > 0);
      for (const name of ENCODINGS) {
        const tokenizer = tokenizers.get(name)!;
        for (const { note, text, wellFormed = text, ids } of cases) {
          const expected = ids[same[name] ?? name]!;
          const told = `${name}: ${note ?? ""} ${JSON.stringify(text)}`;
          assert.deepEqual([...tokenizer.encode(text)], expected, told);
          assert.equal(tokenizer.count(text), expected.length, told);
          assert.equal(tokenizer.decode(expected), wellFormed, told);
        }
      }
    });

    it(`${topic}: as one batch`, () => {
      const { same, cases } = read<Ordinary>(topic);
      for (const name of ENCODINGS) {
        const { ids, offsets } = tokenizers.get(name)!.encodeBatch(cases.map(({ text }) => text));
        cases.forEach(({ ids: expected }, i) => {
          const found = [...ids.subarray(offsets[i], offsets[i + 1])];
          assert.deepEqual(found, expected[same[name] ?? name], `${name}: case ${i}`);
        });
      }
    });
  }

  it("specials, in all three modes", () => {
    for (const { encoding, text, allow, ordinary, error } of read<Specials>("specials").cases) {
      const tokenizer = tokenizers.get(encoding)!;
      const told = `${encoding}: ${JSON.stringify(text)}`;
      assert.deepEqual([...tokenizer.encode(text, { special: "allow" })], allow, told);
      assert.equal(tokenizer.count(text, { special: "allow" }), allow.length, told);
      assert.deepEqual([...tokenizer.encode(text, { special: "text" })], ordinary, told);
      if (error === null) {
        assert.equal(tokenizer.count(text, { special: "error" }), ordinary.length, told);
      } else {
        assert.throws(() => tokenizer.count(text, { special: "error" }), {
          code: "SLUICE_SPECIAL_TOKEN",
          message: `text contains the special token ${error.name} at byte ${error.byteOffset}`,
        }, told);
      }
    }
  });

  it("every token of every vocabulary", { timeout: 600_000 }, () => {
    const { vocabularies } = read<Vocabularies>("vocabularies");
    assert.deepEqual(vocabularies.map(({ encoding }) => encoding).sort(), [...ENCODINGS].sort());
    for (const { encoding, tokens, bytesSha256, samples, unknown, twoNames } of vocabularies) {
      const tokenizer = tokenizers.get(encoding)!;
      const listing = new Listing();
      let found = 0;
      for (let id = 0; found < tokens; id++) {
        const bytes = bytesOf(tokenizer, id);
        if (bytes === undefined || isSpecial(encoding, id)) continue;
        listing.add(id, bytes);
        found++;
      }
      assert.equal(listing.digest(), bytesSha256, encoding);
      for (const [id, hex] of samples) {
        assert.equal(Buffer.from(tokenizer.decodeBytes([id])).toString("hex"), hex);
      }
      for (const id of unknown) {
        assert.throws(() => tokenizer.decode([id]), { code: "SLUICE_UNKNOWN_TOKEN" }, `${id}`);
      }
      if (twoNames !== undefined) {
        assert.equal(tokenizer.decode([twoNames.id]), twoNames.decodes);
        for (const name of twoNames.names) {
          assert.deepEqual([...tokenizer.encode(name, { special: "allow" })], [twoNames.id]);
        }
      }
    }
  });

  // 20 s for all 17 planes here; the Rust tests have them all.
  it("every code point of the first two planes in six contexts", { timeout: 600_000 }, () => {
    const { same, block, contexts, digests } = read<CodePoints>("code_points");
    for (const { encoding, blocks } of digests) {
      // r50k and p50k split alike; the Rust tests sweep all of them.
      if (encoding in same || encoding === "p50k_base") continue;
      const tokenizer = tokenizers.get(encoding as EncodingName)!;
      blocks.slice(0, 0x20000 / block).forEach((expected, index) => {
        const rows: { point: number; text: string }[] = [];
        for (let point = index * block; point < (index + 1) * block; point++) {
          if (point >= 0xd800 && point < 0xe000) continue;
          const char = String.fromCodePoint(point);
          for (const context of contexts) {
            rows.push({ point, text: context.replaceAll(/\{0?\}/g, () => char) });
          }
        }
        const { ids, offsets } = tokenizer.encodeBatch(rows.map(({ text }) => text));
        const listing = new Listing();
        rows.forEach(({ point }, i) => {
          listing.add(point, ids.subarray(offsets[i], offsets[i + 1]));
        });
        assert.equal(listing.digest().slice(0, 16), expected, `${encoding}: block ${index}`);
      });
    }
  });
});

/** The bytes of a token, or undefined if there is no such token. */
function bytesOf(tokenizer: Tokenizer, id: number): Uint8Array | undefined {
  try {
    return tokenizer.decodeBytes([id]);
  } catch {
    return undefined;
  }
}

/** Special tokens stand between ordinary ones in p50k only, where id 50256 is one. */
function isSpecial(encoding: EncodingName, id: number): boolean {
  return encoding.startsWith("p50k") && id === 50256;
}
