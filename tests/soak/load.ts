/**
 * The upstream of the soak, with every fault that an upstream has, and its clients, some of which abort. Reads the
 * gateway's address from standard input, and stops at the next line.
 *
 * @module
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const TEXT = "Hello, wörld! This is an answer of the upstream. ".repeat(20);
const ZIPPED = gzipSync(TEXT);
const KINDS = ["text", "text", "text", "gzip", "slow", "slow", "500", "429", "late", "empty"]
  .concat("late+", "slow+", "cut", "reset", "hangs-up", "endless");
const CLIENTS = 12;

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  text: (response) => response.end(TEXT),
  gzip: (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(ZIPPED),
  "500": (response) => response.writeHead(500).end("no"),
  "429": (response) => response.writeHead(429, { "retry-after-ms": "20" }).end("later"),
  empty: (response) => response.writeHead(204).end(),
  late: async (response) => {
    await sleep(300);
    response.end("late");
  },
  slow: async (response) => {
    response.writeHead(200);
    for (let i = 0; i < 10 && !response.destroyed; i++) {
      response.write(TEXT);
      await sleep(10);
    }
    response.end();
  },
  cut: (response) => void response.writeHead(200).write(TEXT, () => response.destroy()),
  reset: (response) => {
    response.writeHead(200, { "content-length": "100000" }).write(TEXT, () => {
      response.socket?.resetAndDestroy();
    });
  },
  "hangs-up": (response) => response.destroy(),
  endless: (response) => {
    const timer = setInterval(() => response.write(TEXT), 50);
    response.once("close", () => clearInterval(timer));
  },
};

const server = createServer((request, response) => {
  response.on("error", () => {});
  request.resume().once("error", () => {}).once("end", () => {
    void ANSWERS[request.url!.slice(1)]!(response);
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

let isOver = false;
let sent = 0;

async function client(gateway: string): Promise<void> {
  while (!isOver) {
    const number = sent++;
    const kind = KINDS[number % KINDS.length]!;
    const leaver = new AbortController();
    // Kinds with a "+" are aborted midway.
    const leaves = kind.endsWith("+")
      ? setTimeout(() => leaver.abort(), 5 + number % 60)
      : undefined;
    try {
      const response = await fetch(`${gateway}/?kind=${kind.replace("+", "")}`, {
        method: "POST",
        signal: leaver.signal,
      });
      if (number % 50 === 0) await response.body?.cancel();
      else await response.arrayBuffer();
    } catch {
      // Faults are expected.
    }
    clearTimeout(leaves);
    await sleep(20 + number % 30);
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const gateway = (await lines.next()).value as string;
const clients = Array.from({ length: CLIENTS }, () => client(gateway));
await lines.next();
isOver = true;
await Promise.all(clients);
console.log("over");
await lines.next();
process.exit(0);
