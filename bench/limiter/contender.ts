/**
 * A Worker that checks as fast as it can, while another does the same.
 *
 * @module
 */
import type { Contended, Order } from "./contest.ts";
import { AtomicsGcra, STRIDE } from "./gcra.ts";
import { reopen } from "./checks.ts";

/** Checks so many times and returns how many were admitted. */
type Check = (times: number) => number | Promise<number>;

interface Scope {
  onmessage: ((event: MessageEvent<Order | "go">) => void) | null;
  postMessage(message: Contended | "ready"): void;
}

/** Checks between two looks at whether the time is up. */
const LOOK = 512;

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: order }) => {
  if (order === "go") return;
  const check = {
    "sluice": throughSluice,
    "SharedArrayBuffer + Atomics": throughAtomics,
    "owner Worker": throughOwner,
  }[order.sharing](order);
  // All are told to go when all are there.
  scope.onmessage = async () => scope.postMessage(await contend(check, order.ms));
  scope.postMessage("ready");
};

async function contend(check: Check, ms: number): Promise<Contended> {
  let checks = 0;
  let admitted = 0;
  const end = performance.now() + ms;
  while (performance.now() < end) {
    // What does not wait is not made to.
    const some = check(LOOK);
    admitted += typeof some === "number" ? some : await some;
    checks += LOOK;
  }
  return { checks, admitted };
}

function throughSluice({ name, bucket, key }: Order): Check {
  const limiter = reopen(name, bucket);
  const handle = limiter.key(`tenant-${key}`);
  return (times) => {
    let admitted = 0;
    for (let i = 0; i < times; i++) if (limiter.take(handle).allowed) admitted++;
    return admitted;
  };
}

function throughAtomics({ memory, bucket, key, origin }: Order): Check {
  const gcra = new AtomicsGcra(memory, bucket);
  const offset = performance.timeOrigin - origin;
  return (times) => {
    let admitted = 0;
    for (let i = 0; i < times; i++) {
      const now = (offset + performance.now()) * 1000 | 0;
      if (gcra.take(STRIDE * key, now) === 0) admitted++;
    }
    return admitted;
  };
}

/** A few tasks at a time, as a gateway has requests: the owner then serves many a turn. */
function throughOwner({ port, key, tasks }: Order): Check {
  const name = `tenant-${key}`;
  const waiting: ((wait: number) => void)[] = [];
  let head = 0;
  port!.onmessage = ({ data }: MessageEvent<number>) => {
    waiting[head++]!(data);
    if (head > 1024) head -= waiting.splice(0, head).length;
  };
  return async (times) => {
    let left = times;
    let admitted = 0;
    await Promise.all(Array.from({ length: tasks }, async () => {
      while (left-- > 0) {
        const answer = new Promise<number>((resolve) => waiting.push(resolve));
        port!.postMessage(name);
        if (await answer === 0) admitted++;
      }
    }));
    return admitted;
  };
}
