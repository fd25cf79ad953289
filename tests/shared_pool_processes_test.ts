/** Gateways of both runtimes share one upstream's limit, through kills and rests, by the upstream's own count. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeName } from "../bench/machine.ts";
import { executable, runArguments } from "../bench/runtimes.ts";
import type { GatewaySettings } from "./fixtures/shared_pool_gateway.ts";
import { endWithThisProcess } from "./support/end_with_this_process.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";

const GATEWAY = new URL("fixtures/shared_pool_gateway.ts", import.meta.url);
const CAP = 6;

/** An upstream that counts its requests in flight. */
class Upstream implements AsyncDisposable {
  inFlight = 0;
  peak = 0;
  /** The requests of each gateway. */
  served = new Map<string, number>();
  /** The times of all requests, by `performance.now()`. */
  times: number[] = [];
  /** What to answer to the next request instead of 200. */
  retryAfter: number | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const from = new URL(request.url!, "http://localhost").searchParams.get("from")!;
      this.served.set(from, (this.served.get(from) ?? 0) + 1);
      this.times.push(performance.now());
      this.peak = Math.max(this.peak, ++this.inFlight);
      response.once("close", () => this.inFlight--);
      const rest = this.retryAfter;
      this.retryAfter = undefined;
      if (rest !== undefined) response.writeHead(429, { "retry-after": `${rest}` }).end();
      else setTimeout(() => response.end("done"), 20 + 40 * Math.random());
    });
  }

  static async start(): Promise<Upstream> {
    const upstream = new Upstream();
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.resolve();
  }
}

async function start(runtime: RuntimeName, settings: GatewaySettings): Promise<ChildProcess> {
  const child = spawn(
    executable(runtime),
    runArguments(runtime, GATEWAY, [JSON.stringify(settings)]),
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NO_COLOR: "1" } },
  );
  endWithThisProcess(child);
  await once(child.stdout!, "data");
  return child;
}

describe("gateways that share a pool", { skip: NO_STORE }, () => {
  it("never have more in flight than its limit, through a kill and a rest", async () => {
    await using server = await StoreServer.start();
    await using upstream = await Upstream.start();
    const name = "gateways";
    const gateways = await Promise.all(
      (["bun", "deno", "bun", "deno"] as const).map((runtime, i) =>
        start(runtime, {
          id: `${i}`,
          name,
          store: server.url,
          upstream: upstream.url,
          maxInFlight: CAP,
          callers: 4,
        })
      ),
    );
    await sleep(1500);
    assert.equal(upstream.peak, CAP, "all permits are used, and no more");
    assert.equal(upstream.served.size, 4);
    for (const [id, count] of upstream.served) assert.ok(count > 3, `${id} has served ${count}`);

    gateways[0]!.kill("SIGKILL");
    await sleep(1500);
    const before = upstream.times.length;
    await sleep(1000);
    const each = upstream.times.length - before;
    // Six at a time of 40 ms are 150 a second. Half of that must be reached under load.
    assert.ok(each > 50, `${each} requests in a second after the kill`);
    assert.equal(upstream.peak, CAP);

    upstream.retryAfter = 2;
    const asked = performance.now();
    await sleep(3500);
    // A third of a lease, and the requests in flight before.
    const resting = upstream.times.filter((time) => time > asked + 700 && time < asked + 1950);
    assert.deepEqual(resting, [], "all gateways obey the rest");
    const after = upstream.times.filter((time) => time > asked + 2000);
    assert.ok(after.length > 10, `${after.length} requests after the rest`);
    assert.equal(upstream.peak, CAP);

    // Deno reports the signal that was sent, however the process ended, so they say it themselves.
    const ended = gateways.slice(1).map((gateway) => once(gateway.stdout!, "data"));
    for (const gateway of gateways.slice(1)) gateway.kill("SIGTERM");
    for (const [text] of await Promise.all(ended)) assert.match(String(text), /closed/);
    const [hash] = (await server.command("KEYS", "*:@pool:gateways")).split("\n");
    const totals = await server.command("HGET", hash!, "h");
    assert.match(totals, /^0 0 0 0 0 /, "everything was given back");
  });
});
