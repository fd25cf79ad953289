/**
 * No part of a request is reachable after its lease has ended, however the caller keeps the response.
 * The same holds for leases, queued requests, reservations, counters, jobs and resources.
 *
 * A leak is linear, so a short run shows it: those that were found in `pool.fetch` had 1,100 to 3,600 bytes
 * per request. `tests/soak/` runs longer and measures the whole process.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createPools } from "./fixtures/heap_forms.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { runOptions } from "./support/runtime.ts";

const PROGRAM = fileURLToPath(new URL("./fixtures/heap_growth.ts", import.meta.url));
/** How often each thing is done; several thousand times in a longer run. */
const TIMES = process.env["SLUICE_HEAP_TIMES"] ?? "300";
/** More bytes than this for each time are a leak. */
const MOST_BYTES = 200;

/** What the program tells of one form. */
interface Told {
  readonly name: string;
  readonly bytes?: number;
  readonly error?: string;
}

const measured = new Map<string, Told>();
let left: number[] = [];
let problems = "";
let server: FlakyServer;

/** Runs the program in this runtime and reads what it measured. */
async function measure(): Promise<void> {
  const options = runOptions(["-A", "--no-check", "--v8-flags=--expose-gc"]);
  const child = spawn(process.execPath, [...options, PROGRAM, server.origin, TIMES]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8");
  child.stdout.on("data", (text: string) => output += text);
  child.stderr.on("data", (text: string) => problems = (problems + text).slice(0, 2000));
  await new Promise((resolve) => child.once("close", resolve));
  for (const line of output.split("\n")) {
    if (line === "") continue;
    const told = JSON.parse(line) as Told | { left: number[] };
    if ("left" in told) left = told.left;
    else measured.set(told.name, told);
  }
}

describe(`The heap after full collections, ${TIMES} times each`, () => {
  before(async () => {
    server = await FlakyServer.start();
    await measure();
  });
  after(async () => await server[Symbol.asyncDispose]());

  for (const name of Object.keys(createPools("http://unused").forms)) {
    it(`does not grow: ${name}`, () => {
      const { bytes, error = problems }: Partial<Told> = measured.get(name) ?? {};
      if (process.env["SLUICE_HEAP_SHOW"] !== undefined) console.log(`${bytes ?? error}  ${name}`);
      assert.ok(bytes !== undefined, `not measured: ${error}`);
      assert.ok(bytes <= MOST_BYTES, `${bytes} bytes each time`);
    });
  }

  it("nothing is left in use", () => {
    assert.deepEqual(left, [0, 0, 0, 0, 0, 0], problems);
  });
});
