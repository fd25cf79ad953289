import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import { PIECE_BYTES } from "../src/corpus/sources/byte_source.ts";
import { inputFile, openPart, partsOf, SourceError } from "../src/corpus/sources/mod.ts";
import { Files } from "./fixtures/cli.ts";

const GIGABYTE = 1 << 30;

interface Contents {
  readonly bytes: Buffer;
  /** The bytes of the file that were told to be read. */
  readonly told: number;
  readonly batches: number;
}

async function contents(file: string, memory = GIGABYTE): Promise<Contents> {
  const input = await inputFile(file);
  const parts = await partsOf(input, 0, 1 << 16, { field: "text" });
  assert.deepEqual(parts, [
    { part: { file: 0, from: 0, to: input.size }, bytes: input.size },
  ]);
  const pieces: Uint8Array[] = [];
  let told = 0;
  const onRead = (bytes: number) => void (told += bytes);
  let at: number | undefined;
  for await (const batch of openPart(input, parts[0]!.part, { field: "text", memory, onRead })) {
    assert.ok(batch.kind === "lines" || batch.kind === "text");
    at ??= batch.offset;
    assert.equal(batch.offset, at);
    at += batch.bytes.length;
    pieces.push(batch.bytes.slice());
  }
  return { bytes: Buffer.concat(pieces), told, batches: pieces.length };
}

const LINES = Array.from({ length: 300 }, (_, i) => `{"text":"line ${i} ${"é".repeat(i % 7)}"}\n`);
const ALL = Buffer.from(LINES.join(""));
const [FIRST, SECOND, THIRD] = [0, 1, 2].map((third) =>
  Buffer.from(LINES.slice(100 * third, 100 * third + 100).join(""))
) as [Buffer, Buffer, Buffer];

const gzip = (bytes: Uint8Array) => zlib.gzipSync(bytes);
const zstd = (bytes: Uint8Array) => zlib.zstdCompressSync(bytes);

/** A frame of zstd with one block that is not compressed, and the size of the window in its header. */
function rawFrame(bytes: Uint8Array, window: number): Buffer {
  const block = bytes.length << 3 | 1;
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0, window - 10 << 3, block, block >> 8, block >> 16];
  return Buffer.concat([Uint8Array.from(header, (byte) => byte & 255), bytes]);
}

const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
const zeros = (count: number) => Buffer.alloc(count);

describe("compressed inputs", () => {
  const good: Record<string, Buffer[]> = {
    "one.jsonl.gz": [gzip(ALL)],
    "members.jsonl.gz": [FIRST, SECOND, THIRD].map(gzip),
    "an empty member.jsonl.gz": [gzip(FIRST), gzip(zeros(0)), gzip(SECOND), gzip(THIRD)],
    "padded.jsonl.gz": [gzip(ALL), zeros(700)],
    "padded a lot.jsonl.gz": [gzip(ALL), zeros(3_000_000)],
    "padded between.jsonl.gz": [gzip(FIRST), zeros(5), gzip(SECOND), zeros(1), gzip(THIRD)],
    "padded a lot between.jsonl.gz": [
      gzip(FIRST),
      zeros(3_000_000),
      gzip(SECOND),
      gzip(THIRD),
      zeros(9),
    ],
    "one.jsonl.zst": [zstd(ALL)],
    "frames.json.zst": [FIRST, SECOND, THIRD].map(zstd),
    "checksums.jsonl.zst": [FIRST, SECOND, THIRD].map((bytes) =>
      zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } })
    ),
    "skippable.jsonl.zst": [
      skippable,
      zstd(FIRST),
      skippable,
      skippable,
      zstd(SECOND),
      zstd(zeros(0)),
      zstd(THIRD),
      skippable,
    ],
    "of unknown sizes.jsonl.zst": [FIRST, SECOND, THIRD].map((bytes) => rawFrame(bytes, 20)),
  };

  for (const [name, parts] of Object.entries(good)) {
    it(`are read to the end: ${name}`, async () => {
      using files = new Files({ [name]: Buffer.concat(parts) });
      const { bytes, told } = await contents(path.join(files.directory, name));
      assert.equal(bytes.toString(), ALL.toString());
      assert.equal(told, Buffer.concat(parts).length);
    });
  }

  it("of many pieces are read to the end, in members and frames of all sizes", async () => {
    const big = Buffer.from(
      Array.from(
        { length: 60_000 },
        (_, i) =>
          `{"text":"${i * 7919 % 100_003} ${i * 104_729 % 1_000_003} ${"x".repeat(i % 300)}"}\n`,
      )
        .join(""),
    );
    const cuts = [0, 10, 1_000_000, 1_000_010, 6_000_000, big.length];
    const slices = cuts.slice(1).map((cut, i) => big.subarray(cuts[i], cut));
    using files = new Files({
      "a.jsonl.gz": Buffer.concat(slices.map(gzip)),
      "a.txt.zst": Buffer.concat(slices.map(zstd)),
      "a.txt.gz": gzip(big),
    });
    for (const name of ["a.jsonl.gz", "a.txt.zst", "a.txt.gz"]) {
      const { bytes, batches } = await contents(path.join(files.directory, name));
      assert.ok(bytes.equals(big), name);
      // Pieces are filled, whatever the decompressor gives at once.
      assert.ok(batches >= 2 && batches <= big.length / PIECE_BYTES + 3, `${batches}`);
    }
  });

  it("may have blocks of one byte that is repeated", async () => {
    const block = 1000 << 3 | 1 << 1 | 1;
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3, block, block >> 8, block >> 16, 10];
    const frame = Uint8Array.from(header, (byte) => byte & 255);
    using files = new Files({ "a.jsonl.zst": Buffer.concat([frame, zstd(ALL)]) });
    const { bytes } = await contents(path.join(files.directory, "a.jsonl.zst"));
    assert.equal(bytes.toString(), "\n".repeat(1000) + ALL.toString());
  });

  it("that end within a member or frame are refused, wherever that is", async () => {
    const small = [FIRST, SECOND].map((bytes) => bytes.subarray(0, 90));
    using files = new Files({});
    for (const [suffix, compress] of [["gz", gzip], ["zst", zstd]] as const) {
      const [first, second] = small.map(compress) as [Buffer, Buffer];
      const both = Buffer.concat([first, second]);
      const file = path.join(files.directory, `a.jsonl.${suffix}`);
      for (let length = 0; length < both.length; length++) {
        fs.writeFileSync(file, both.subarray(0, length));
        if (length === first.length) {
          assert.equal((await contents(file)).bytes.toString(), small[0]!.toString());
        } else {
          await assert.rejects(contents(file), (error: Error) => {
            assert.ok(error instanceof SourceError, `${error}`);
            assert.ok(error.message.startsWith(`${file}: `), error.message);
            assert.match(error.message, length === 0 ? /is empty|ends within/ : /ends within/);
            return true;
          });
        }
      }
    }
  });

  it("with anything else in them are refused", async () => {
    const flipped = (bytes: Buffer, back: number) => {
      const copy = Buffer.from(bytes);
      copy[copy.length - back]! ^= 1;
      return copy;
    };
    const sum = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
    const checked = zlib.zstdCompressSync(SECOND, sum);
    using files = new Files({
      "garbage.jsonl.gz": Buffer.concat([gzip(FIRST), Buffer.from("garbage")]),
      "garbage behind zeros.jsonl.gz": Buffer.concat([
        gzip(FIRST),
        zeros(600),
        Buffer.from("garbage"),
      ]),
      "sum.jsonl.gz": Buffer.concat([gzip(FIRST), flipped(gzip(SECOND), 6)]),
      "length.jsonl.gz": Buffer.concat([gzip(FIRST), flipped(gzip(SECOND), 2)]),
      "plain.jsonl.gz": ALL,
      "garbage.jsonl.zst": Buffer.concat([zstd(FIRST), Buffer.from("garbage")]),
      "zeros.jsonl.zst": Buffer.concat([zstd(FIRST), zeros(600)]),
      "sum.jsonl.zst": Buffer.concat([zstd(FIRST), flipped(checked, 2)]),
      "plain.jsonl.zst": ALL,
      "is gzip.jsonl.zst": gzip(ALL),
    });
    for (const name of fs.readdirSync(files.directory)) {
      const file = path.join(files.directory, name);
      await assert.rejects(contents(file), (error: Error) => {
        assert.ok(error instanceof SourceError, `${name}: ${error}`);
        assert.match(error.message, /^[^:]+: (is not valid|there is no zstd)/);
        return true;
      }, name);
    }
  });

  it("are refused if decompressing takes more memory than is allowed", async () => {
    using files = new Files({ "wide.jsonl.zst": rawFrame(ALL.subarray(0, 100), 30) });
    const file = path.join(files.directory, "wide.jsonl.zst");
    await assert.rejects(contents(file, 1 << 28), /1073741824 bytes of memory.*--memory/);
    assert.equal((await contents(file, 2 ** 31)).bytes.length, 100);
  });

  it("close their file when they are left early", async () => {
    if (!fs.existsSync("/proc/self/fd")) return;
    const noise = Buffer.alloc(6_000_000, 0).map((_, i) => i % 97 === 0 ? 10 : 32 + i * i % 89);
    using files = new Files({ "a.jsonl.gz": gzip(noise), "a.jsonl.zst": zstd(noise) });
    for (const name of ["a.jsonl.gz", "a.jsonl.zst"]) {
      const input = await inputFile(path.join(files.directory, name));
      const part = { file: 0, from: 0, to: input.size };
      for await (const _ of openPart(input, part, { field: "text", memory: GIGABYTE })) break;
      const open = fs.readdirSync("/proc/self/fd").map((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return "";
        }
      });
      assert.ok(!open.includes(fs.realpathSync(input.path)), name);
    }
  });
});
