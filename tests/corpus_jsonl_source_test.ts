import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  inputFile,
  openPart,
  partsOf,
  type SizedPart,
  SourceError,
} from "../src/corpus/sources/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { codePoint } from "./fixtures/texts.ts";

const MEMORY = 1 << 20;

interface Line {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** The lines of a text with their offsets, with line feeds. */
function linesOf(bytes: Buffer, offset = 0): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < bytes.length;) {
    const feed = bytes.indexOf(10, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    lines.push({ offset: offset + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return lines;
}

/** The lines of each part of a file, and the bytes that were told to be read. */
async function readParts(
  file: string,
  unitBytes: number,
): Promise<{ parts: Line[][]; read: number[]; bytes: number[] }> {
  const input = await inputFile(file);
  const parts: Line[][] = [];
  const read: number[] = [];
  const bytes: number[] = [];
  for (const sized of await partsOf(input, 0, unitBytes, { field: "text" })) {
    const lines: Line[] = [];
    let told = 0;
    const onRead = (n: number) => void (told += n);
    for await (
      const batch of openPart(input, sized.part, { field: "text", memory: MEMORY, onRead })
    ) {
      assert.equal(batch.kind, "lines");
      if (batch.kind === "lines") lines.push(...linesOf(Buffer.from(batch.bytes), batch.offset));
    }
    parts.push(lines);
    read.push(told);
    bytes.push(sized.bytes);
  }
  return { parts, read, bytes };
}

describe("parts of JSON Lines", () => {
  it("have each line once, in order, whatever the cutting", async () => {
    using files = new Files({});
    const file = path.join(files.directory, "lines.jsonl");
    const line = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: codePoint, maxLength: 30 }) },
      { weight: 2, arbitrary: fc.constantFrom("", "\r", " ", "{}\r", "\u0000", "\uFEFF") },
      { weight: 1, arbitrary: fc.integer({ min: 100, max: 400 }).map((n) => "x".repeat(n)) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 120 }),
        async (lines, hasMark, hasLastFeed, unitBytes) => {
          const mark = hasMark ? "\uFEFF" : "";
          const text = mark + lines.join("\n") + (hasLastFeed ? "\n" : "");
          fs.writeFileSync(file, text);
          const all = Buffer.from(text);
          // A mark is not part of the first line, and belongs to the first part with it.
          const skipped = text.startsWith("\uFEFF") ? 3 : 0;
          const expected = linesOf(all.subarray(skipped), skipped);
          const { parts, read, bytes } = await readParts(file, unitBytes);
          assert.deepEqual(parts.flat(), expected);
          assert.deepEqual(read, bytes);
          parts.forEach((found, index) => {
            for (const { offset } of found) {
              const begin = offset === 3 && skipped === 3 ? 0 : offset;
              assert.equal(Math.floor(begin / unitBytes), index);
            }
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it("have lines longer than a piece, the room for a carried line, and a unit", async () => {
    const lines = [300_000, 10, 5_000_000, 0, 1_000_000, 4_200_000, 7].map((length, index) =>
      String(index).repeat(length)
    );
    using files = new Files({ "a.jsonl": lines.join("\n") });
    const file = path.join(files.directory, "a.jsonl");
    for (const unitBytes of [1 << 30, 1 << 20, 1_400_003]) {
      const { parts } = await readParts(file, unitBytes);
      const found = parts.flat().map(({ bytes }) => bytes.toString().replace("\n", ""));
      assert.ok(found.length === lines.length && found.every((text, i) => text === lines[i]));
    }
  });

  it("tell of a line that is too long for the memory, and go on behind it", async () => {
    const limit = 8 << 20;
    const text = ["a".repeat(limit), "b".repeat(limit + 1), "{}", "c".repeat(3 * limit)];
    using files = new Files({ "a.jsonl": text.join("\n") });
    const input = await inputFile(path.join(files.directory, "a.jsonl"));
    const found: unknown[] = [];
    const [{ part }] = await partsOf(input, 0, 1 << 30, { field: "text" }) as SizedPart[] as [
      SizedPart,
    ];
    for await (const batch of openPart(input, part, { field: "text", memory: MEMORY })) {
      if (batch.kind === "long-line") {
        const { offset, length, head } = batch;
        found.push([offset, length, head.length, Buffer.from(head).toString("utf8", 0, 3)]);
      } else if (batch.kind === "lines") {
        for (const { offset, bytes } of linesOf(Buffer.from(batch.bytes), batch.offset)) {
          found.push([offset, bytes.length, bytes.toString("utf8", 0, 3)]);
        }
      }
    }
    assert.deepEqual(found, [
      [0, limit + 1, "aaa"],
      [limit + 1, limit + 1, 65536, "bbb"],
      [2 * limit + 3, 3, "{}\n"],
      [2 * limit + 6, 3 * limit, 65536, "ccc"],
    ]);
  });

  it("of a file that has changed or gone are refused", async () => {
    using files = new Files({ "a.jsonl": "{}\n{}\n", "b.jsonl": "{}\n", "c.jsonl": "{}\n" });
    const inputs = await Promise.all(
      ["a", "b", "c"].map((name) => inputFile(path.join(files.directory, `${name}.jsonl`))),
    );
    fs.appendFileSync(inputs[0]!.path, "{}\n");
    fs.utimesSync(inputs[1]!.path, 1, 1);
    fs.rmSync(inputs[2]!.path);
    const wanted = [
      /changed since the plan was made: 9 bytes, not 6/,
      /modified at 1970/,
      /no such file/,
    ];
    for (const [index, input] of inputs.entries()) {
      await assert.rejects(
        async () => {
          const part = { file: 0, from: 0, to: input.size };
          for await (const _ of openPart(input, part, { field: "text", memory: MEMORY }));
        },
        (error: Error) => {
          assert.ok(error instanceof SourceError);
          assert.match(error.message, wanted[index]!);
          assert.ok(error.message.startsWith(input.path));
          return true;
        },
      );
    }
  });

  it("close their file when they are left early", async () => {
    using files = new Files({ "a.jsonl": "{}\n".repeat(3_000_000) });
    const input = await inputFile(path.join(files.directory, "a.jsonl"));
    const isOpen = () =>
      fs.readdirSync("/proc/self/fd").some((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`) === fs.realpathSync(input.path);
        } catch {
          return false;
        }
      });
    if (!fs.existsSync("/proc/self/fd")) return;
    const part = { file: 0, from: 0, to: input.size };
    for await (const _ of openPart(input, part, { field: "text", memory: MEMORY })) {
      assert.ok(isOpen());
      break;
    }
    assert.ok(!isOpen());
  });
});
