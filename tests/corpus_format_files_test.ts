/** Files that are summed while they are written, and what the system can do to a write. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { afterEach, describe, test } from "node:test";
import { HashedFile, sumOfFile } from "../src/corpus/formats/mod.ts";
import { writeAll } from "../src/corpus/formats/hashed_file.ts";
import { BitList } from "../src/corpus/formats/bit_list.ts";
import { folder } from "./support/token_files.ts";

/** Bytes that tell where they belong. */
function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

const SIZES = [1, 1000, 1 << 19, 3, (1 << 20) - 1, 2, 1 << 20, 5, 1 << 21, 600_000, 600_000];

for (const headerBytes of [0, 128]) {
  test(`the sum is that of the file, with a header of ${headerBytes} bytes`, async () => {
    const path = `${folder}/sum-${headerBytes}`;
    const file = new HashedFile(path, headerBytes);
    const header = pattern(headerBytes, 9);
    const parts = SIZES.map(pattern);
    for (const part of parts) {
      const given = part.slice();
      file.write(given);
      given.fill(0);
    }
    const expected = Buffer.concat([header, ...parts]);
    assert.equal(file.position, expected.length);
    assert.deepEqual(
      Buffer.from(await file.readBack(headerBytes + 1, 1000)),
      expected.subarray(headerBytes + 1, headerBytes + 1001),
    );
    const sum = await file.finish(headerBytes === 0 ? undefined : header);
    assert.ok(expected.equals(fs.readFileSync(path)));
    assert.deepEqual(sum, {
      bytes: expected.length,
      sha256: createHash("sha256").update(expected).digest("hex"),
    });
    let read = 0;
    assert.deepEqual(await sumOfFile(path, (bytes) => read += bytes), sum);
    assert.equal(read, expected.length);
  });
}

test("a header of another size is refused, and a closed file is not written", async () => {
  const file = new HashedFile(`${folder}/header`, 8);
  await assert.rejects(file.finish(new Uint8Array(7)), RangeError);
  await file.close();
  await file.close();
  await assert.rejects(file.finish(new Uint8Array(8)), /the file is closed/);
});

describe("synchronization in the background", () => {
  const { fdatasync } = fs;
  afterEach(() => {
    fs.fdatasync = fdatasync;
  });

  const part = pattern(1 << 22, 1);

  test("begins while the file is written, and ends before it is closed", async () => {
    const running = new Set<number>();
    let begun = 0;
    fs.fdatasync = ((fd: number, done: (error: null) => void) => {
      begun++;
      running.add(fd);
      setTimeout(() => {
        fs.fstatSync(fd); // It is still open.
        running.delete(fd);
        done(null);
      }, 20);
    }) as typeof fs.fdatasync;
    const file = new HashedFile(`${folder}/background`);
    for (let i = 0; i < 5; i++) file.write(part);
    assert.deepEqual([begun, running.size], [1, 1]);
    const { bytes } = await file.finish();
    assert.deepEqual([bytes, running.size], [5 * part.length, 0]);
    const aborted = new HashedFile(`${folder}/aborted`);
    for (let i = 0; i < 4; i++) aborted.write(part);
    assert.equal(running.size, 1);
    await aborted.close();
    assert.equal(running.size, 0);
  });

  test("has failures that the next write and the end tell", async () => {
    const failure = Object.assign(new Error("i/o"), { code: "EIO" });
    fs.fdatasync = ((_: number, done: (error: Error) => void) => {
      setTimeout(() => done(failure), 1);
    }) as typeof fs.fdatasync;
    for (const isWritten of [false, true]) {
      const file = new HashedFile(`${folder}/failing-${isWritten}`);
      for (let i = 0; i < 4; i++) file.write(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (isWritten) assert.throws(() => file.write(part), failure);
      await assert.rejects(file.finish(), failure);
      await file.close();
    }
  });
});

test("writes that are short or interrupted are continued", () => {
  const bytes = pattern(100, 0);
  for (const position of [null, 40]) {
    const written = new Uint8Array(200);
    const faults = ["EINTR", "EAGAIN"];
    let end = position ?? 0;
    writeAll(bytes, (source, offset, length, at) => {
      const code = end % 2 === 0 ? faults.pop() : undefined;
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      assert.equal(at, position === null ? null : end);
      const n = Math.min(7, length);
      written.set(source.subarray(offset, offset + n), end);
      end += n;
      return n;
    }, position);
    assert.deepEqual(written.slice(position ?? 0, end), bytes);
    assert.equal(faults.length, 0);
  }
});

test("failures of the system keep their code", () => {
  const full = () => {
    throw Object.assign(new Error("full"), { code: "ENOSPC" });
  };
  assert.throws(() => writeAll(new Uint8Array(1), full, null), { code: "ENOSPC" });
  assert.throws(() => writeAll(new Uint8Array(1), () => 0, null), /wrote nothing/);
  const device = fs.openSync("/dev/full", "w");
  const write = () => writeAll(new Uint8Array(9), (...at) => fs.writeSync(device, ...at), null);
  assert.throws(write, { code: "ENOSPC" });
  fs.closeSync(device);
});

test("bits are kept beyond the first growth", () => {
  const list = new BitList();
  const isSet = (i: number) => i % 3 === 0 || i % 7 === 0;
  for (let i = 0; i < 20_000; i++) list.push(isSet(i));
  assert.equal(list.length, 20_000);
  for (let i = 0; i < 20_000; i++) assert.equal(list.at(i), isSet(i));
});
