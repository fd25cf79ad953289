/**
 * The cost of counting in a whole gateway: requests a second and CPU per request without counting and with each way to
 * count.
 *
 * The gateway runs in this runtime. The upstream and the load generator are processes on the same cores, so the CPU of
 * the gateway per request says more than the share of throughput that a variant keeps. The record has both.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "../mod.ts";
import { sendLoad, type Server, startServer } from "./gateway/processes.ts";
import { runtimeName } from "./machine.ts";
import { rounded } from "./measure.ts";
import { expect, program, progress } from "./program.ts";
import { TextWalk } from "./text_walk.ts";

/** The ways to count, the baseline first. */
const VARIANTS = [
  "none",
  "gpt-tokenizer",
  "hypertok",
  "sluice",
  "sluice, async",
  "sluice, cached",
] as const;

/** A way to count. */
export type Variant = typeof VARIANTS[number];

/** What a gateway did since it started. */
export interface GatewayStats {
  readonly requests: number;
  /** Microseconds of CPU of all threads of the process. */
  readonly cpu: number;
}

/** One variant at one length of prompt; arrays have an entry for each round. */
interface GatewayCell {
  readonly variant: Variant;
  /** Characters of each prompt. */
  readonly size: number;
  readonly requestsPerSecond: number[];
  /** Microseconds of the gateway's CPU per request. */
  readonly cpu: number[];
  readonly p50: number[];
  readonly p99: number[];
}

const FULL = {
  sizes: [400, 4_000, 32_000],
  variants: VARIANTS,
  rounds: 5,
  warmUp: "1",
  extent: "3",
};
const BRIEF: typeof FULL = {
  ...FULL,
  sizes: [400],
  variants: ["none", "sluice"] as unknown as typeof VARIANTS,
  rounds: 1,
  warmUp: "50x",
  extent: "200x",
};

async function run(brief: boolean): Promise<GatewayCell[]> {
  const { sizes, variants, rounds, warmUp, extent } = brief ? BRIEF : FULL;
  const folder = mkdtempSync(join(tmpdir(), "sluice-gateway-"));
  const upstream = await startServer("bun", {});
  const cells: GatewayCell[] = [];
  try {
    for (const size of sizes) {
      const prompts = promptsOf(size, brief);
      const bodies = join(folder, `${size}.json`);
      writeFileSync(bodies, JSON.stringify(prompts));
      const group = variants.map((variant): GatewayCell => ({
        variant,
        size,
        requestsPerSecond: [],
        cpu: [],
        p50: [],
        p99: [],
      }));
      cells.push(...group);
      for (let round = 0; round < rounds; round++) {
        for (const { variant, requestsPerSecond, cpu, p50, p99 } of group) {
          progress(`gateway: ${size} characters, round ${round + 1}, ${variant}`);
          const environment = { UPSTREAM: upstream.url, VARIANT: variant };
          const gateway = await startServer(runtimeName(), environment);
          try {
            await checkCount(gateway, variant, prompts[0]!);
            await sendLoad(gateway.url, bodies, warmUp);
            const before = await stats(gateway);
            const load = await sendLoad(gateway.url, bodies, extent);
            const after = await stats(gateway);
            expect(load.failed === 0, `no request fails with ${variant}`);
            requestsPerSecond.push(rounded(load.requestsPerSecond));
            cpu.push(rounded((after.cpu - before.cpu) / (after.requests - before.requests)));
            p50.push(load.p50);
            p99.push(load.p99);
          } finally {
            await gateway.stop();
          }
        }
      }
    }
  } finally {
    await upstream.stop();
    rmSync(folder, { recursive: true });
  }
  return cells;
}

/** Chat requests with an English prompt each, all different. */
function promptsOf(size: number, brief: boolean): string[] {
  const count = brief ? 32 : Math.min(2000, Math.ceil(6_000_000 / size));
  return new TextWalk("english").take(count, size).map((content) =>
    JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content }] })
  );
}

async function checkCount(gateway: Server, variant: Variant, body: string): Promise<void> {
  const answer = await fetch(gateway.url, { method: "POST", body });
  await answer.arrayBuffer();
  if (variant === "none" || variant === "gpt-tokenizer") return;
  using tokenizer = new Tokenizer("o200k_base");
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const truth = tokenizer.count(messages[0]!.content);
  const counted = Number(answer.headers.get("x-prompt-tokens"));
  expect(counted === truth, `${variant} counts ${truth} tokens, not ${counted}`);
}

async function stats(gateway: Server): Promise<GatewayStats> {
  return await (await fetch(gateway.url)).json() as GatewayStats;
}

if (import.meta.main) await program({ name: "gateway", run });
