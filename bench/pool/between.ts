/**
 * Between Workers: who contend for a few permits, and what is kept of each lease and each who waits.
 *
 * @module
 */
import { median, rounded } from "../measure.ts";
import { expect, progress } from "../program.ts";
import { runSelf } from "../runtimes.ts";
import { type PoolCell, roundedSpread } from "./cells.ts";
import { type Contest, type Contested, type Sharing, SHARINGS } from "./contest.ts";
import { HOLDERS } from "./memory.ts";

const WORKERS = 2;
const TASKS = 8;
const SLOTS = 4;

/** Two Workers, eight tasks each, four permits, by what they share them with. */
export async function contests(brief: boolean): Promise<PoolCell[]> {
  const runs = [false, true].flatMap((holds) =>
    SHARINGS.map((name) => ({ name, holds, rounds: [] as Outcome[] }))
  );
  for (let round = 0; round < (brief ? 1 : 5); round++) {
    for (const { name, holds, rounds } of runs) {
      progress(`pool: contest, round ${round + 1}, ${name}`);
      rounds.push(await contest(name, holds, brief ? 100 : 2000, `contest ${round} ${holds}`));
    }
  }
  return runs.map(({ name, holds, rounds }) => {
    const at = (share: number) =>
      rounded(
        median(rounds.map(({ waits }) =>
          1000 * waits[Math.min(waits.length - 1, Math.floor(share * waits.length))]!
        )),
      );
    const wait = { wait50: at(0.5), wait99: at(0.99), longest: at(1) };
    return {
      part: "contest",
      name,
      holds,
      ...roundedSpread(rounds.map(({ ns }) => ns)),
      ...wait,
    };
  });
}

/** What all Workers did together; the waits are sorted. */
interface Outcome {
  readonly ns: number;
  readonly waits: Float64Array;
}

async function contest(
  sharing: Sharing,
  holds: boolean,
  ms: number,
  name: string,
): Promise<Outcome> {
  const shared = new SharedArrayBuffer(12);
  const words = new Int32Array(shared);
  words[0] = SLOTS;
  const start = (file: string) => new Worker(new URL(file, import.meta.url), { type: "module" });
  const owner = sharing === "owner Worker" ? start("owner.ts") : undefined;
  const workers = Array.from({ length: WORKERS }, () => start("contender.ts"));
  const order: Contest = { sharing, name, slots: SLOTS, tasks: TASKS, ms, holds, shared };
  const ports: (MessagePort | undefined)[] = [];
  for (let i = 0; i < WORKERS; i++) {
    if (owner === undefined) continue;
    const { port1, port2 } = new MessageChannel();
    ports.push(port1);
    await ask(owner, i === 0 ? { slots: SLOTS, port: port2 } : { port: port2 }, port2);
  }
  const all = await Promise.all(workers.map((worker, i) => {
    const port = ports[i];
    return ask<Contested>(worker, port === undefined ? order : { ...order, port }, port);
  }));
  for (const worker of workers) worker.terminate();
  owner?.terminate();
  expect(words[2]! <= SLOTS, `${sharing} never grants more than ${SLOTS}, but ${words[2]}`);
  const operations = all.reduce((sum, { operations }) => sum + operations, 0);
  const waits = new Float64Array(all.reduce((sum, { waits }) => sum + waits.length, 0));
  let at = 0;
  for (const { waits: some } of all) {
    waits.set(some, at);
    at += some.length;
  }
  return { waits: waits.sort(), ns: ms * 1e6 / operations };
}

function ask<R>(worker: Worker, message: unknown, port?: MessagePort): Promise<R> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<R>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(message, port === undefined ? [] : [port]);
  });
}

/** Bytes of resident memory, each measured in a process of its own. */
export async function memory(brief: boolean): Promise<PoolCell[]> {
  const count = brief ? 100 : 100_000;
  const cells: PoolCell[] = [];
  for (const kind of ["lease", "waiter"] as const) {
    for (const name of HOLDERS) {
      const bytes: number[] = [];
      for (let round = 0; round < (brief ? 1 : 3); round++) {
        const [held, waiting] = kind === "lease" ? [count, 0] : [0, count];
        const args = ["--name", name, "--held", `${held}`, "--waiting", `${waiting}`];
        const printed = JSON.parse(await runSelf("pool/memory.ts", args)) as { bytes: number };
        bytes.push(printed.bytes);
      }
      cells.push({ part: "memory", name, of: kind, ...roundedSpread(bytes) });
    }
  }
  return cells;
}
