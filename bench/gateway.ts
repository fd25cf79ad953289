/**
 * What counting costs a whole gateway: requests a second, CPU per request and where it goes, with no
 * counting and with each way to count.
 *
 *     bun bench/gateway.ts [--brief] [--out FILE]
 *     deno run -A bench/gateway.ts [--brief] [--out FILE]
 *
 * The gateway runs under the same runtime as this; the upstream and the load generator are processes
 * of their own, on the same cores, so the share of throughput that a variant keeps says less than
 * the CPU that a request takes. Both are in the record.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "../mod.ts";
import { sendLoad, type Server, startGateway, startUpstream } from "./gateway/processes.ts";
import type { ProfileSum } from "./gateway/profile.ts";
import type { GatewayStats } from "./gateway/server.ts";
import { EXACT_VARIANTS, type Variant, VARIANTS } from "./gateway/variants.ts";
import { median, rounded } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { alignRight } from "./text_table.ts";
import { TextWalk } from "./text_walk.ts";

/** One variant at one length of prompt; arrays have one entry for each round. */
export interface GatewayCell {
  readonly variant: Variant;
  /** Characters of each prompt. */
  readonly size: number;
  readonly requestsPerSecond: readonly number[];
  /** Microseconds of the gateway's CPU per request. */
  readonly cpu: readonly number[];
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  /** Samples of a CPU profile in a run of its own. */
  readonly profile: ProfileSum;
}

/** Characters of a prompt. */
export const PROMPT_SIZES = [400, 4_000, 32_000] as const;

const FULL = { sizes: PROMPT_SIZES, variants: VARIANTS, rounds: 5, warmUp: "1", extent: "3" };
const BRIEF = {
  sizes: [400],
  variants: ["none", "sluice"] as const,
  rounds: 1,
  warmUp: "50x",
  extent: "300x",
};

const bench: Bench<GatewayCell[]> = {
  name: "gateway",

  async run(brief) {
    const { sizes, variants, rounds, warmUp, extent } = brief ? BRIEF : FULL;
    const folder = mkdtempSync(join(tmpdir(), "sluice-gateway-"));
    const upstream = await startUpstream();
    try {
      const cells: GatewayCell[] = [];
      for (const size of sizes) {
        const prompts = promptsOf(size, brief);
        const bodies = join(folder, `${size}.json`);
        writeFileSync(bodies, JSON.stringify(prompts));
        const group = variants.map((variant) => ({
          variant,
          size,
          requestsPerSecond: [] as number[],
          cpu: [] as number[],
          p50: [] as number[],
          p99: [] as number[],
          profile: undefined as ProfileSum | undefined,
        }));
        for (let round = 0; round < rounds; round++) {
          for (const cell of group) {
            progress(`gateway: ${size} characters, round ${round + 1}, ${cell.variant}`);
            const gateway = await startGateway(upstream, cell.variant);
            try {
              await checkCount(gateway, cell.variant, prompts[0]!);
              await sendLoad(gateway.url, bodies, warmUp);
              const before = await ask<GatewayStats>(gateway, "stats");
              const load = await sendLoad(gateway.url, bodies, extent);
              const after = await ask<GatewayStats>(gateway, "stats");
              expect(load.failed === 0, `no request fails with ${cell.variant}`);
              cell.requestsPerSecond.push(rounded(load.requestsPerSecond));
              cell.cpu.push(rounded((after.cpu - before.cpu) / (after.requests - before.requests)));
              cell.p50.push(load.p50);
              cell.p99.push(load.p99);
              if (round > 0) continue;
              await ask(gateway, "profile/start");
              await sendLoad(gateway.url, bodies, extent);
              cell.profile = await ask<ProfileSum>(gateway, "profile/stop");
            } finally {
              await gateway.stop();
            }
          }
        }
        cells.push(...group.map((cell) => ({ ...cell, profile: cell.profile! })));
      }
      return cells;
    } finally {
      await upstream.stop();
      rmSync(folder, { recursive: true });
    }
  },

  check(cells) {
    for (const { variant, size, cpu, requestsPerSecond } of cells) {
      const name = `${variant} at ${size} characters`;
      expect(cpu.every((time) => time > 0), `${name} takes CPU`);
      expect(requestsPerSecond.every((rate) => rate > 0), `${name} answers`);
    }
  },

  describe(cells) {
    const rows = [[
      "counting",
      "characters",
      "requests/s",
      "kept",
      "CPU µs",
      "CPU kept",
      "p50 ms",
      "p99 ms",
      "profile: counting",
    ]];
    for (const cell of cells) {
      const { requestsPerSecond, cpu } = kept(cells, cell);
      rows.push([
        cell.variant,
        String(cell.size),
        median(cell.requestsPerSecond).toFixed(0),
        `${(100 * requestsPerSecond).toFixed(0)} %`,
        median(cell.cpu).toFixed(0),
        `${(100 * cpu).toFixed(0)} %`,
        median(cell.p50).toFixed(1),
        median(cell.p99).toFixed(1),
        `${(100 * profileShare(cell.profile, "counting")).toFixed(0)} %`,
      ]);
    }
    return alignRight(rows);
  },
};

/**
 * What a variant keeps of the throughput without counting, measured and by CPU: the median over
 * rounds of ratios within one round.
 */
export function kept(
  cells: readonly GatewayCell[],
  cell: GatewayCell,
): { requestsPerSecond: number; cpu: number } {
  const none = cells.find(({ variant, size }) => variant === "none" && size === cell.size)!;
  return {
    requestsPerSecond: median(
      cell.requestsPerSecond.map((rate, round) => rate / none.requestsPerSecond[round]!),
    ),
    cpu: median(cell.cpu.map((time, round) => none.cpu[round]! / time)),
  };
}

/** The share of a profile's samples that were doing something. */
export function profileShare(profile: ProfileSum, doing: keyof ProfileSum): number {
  const all = Object.values(profile).reduce((sum, samples) => sum + samples, 0);
  return all === 0 ? 0 : profile[doing] / all;
}

/** Chat requests with one English prompt each, none like another. */
function promptsOf(size: number, brief: boolean): string[] {
  const walk = new TextWalk("english");
  const count = brief ? 32 : Math.min(2000, Math.ceil(6_000_000 / size));
  return walk.take(count, size).map((content) =>
    JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content }] })
  );
}

async function checkCount(gateway: Server, variant: Variant, body: string): Promise<void> {
  const answer = await fetch(gateway.url, { method: "POST", body });
  await answer.arrayBuffer();
  if (!EXACT_VARIANTS.includes(variant)) return;
  using tokenizer = new Tokenizer("o200k_base");
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const truth = tokenizer.count(messages[0]!.content);
  const counted = Number(answer.headers.get("x-prompt-tokens"));
  expect(counted === truth, `${variant} counts ${truth} tokens, not ${counted}`);
}

async function ask<T>(gateway: Server, path: string): Promise<T> {
  return await (await fetch(gateway.url + path)).json() as T;
}

if (import.meta.main) await program(bench);
