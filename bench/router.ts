/**
 * Choosing one of 50 deployments, as a router of LLM requests does: by priority, weight, cooldown, remaining limits and a
 * callback for each request, with fallbacks. In plain TypeScript, and across FFI as JSON and as packed arrays.
 *
 * The native side is a crate of its own (`router/native`), which this builds and sluice does not ship. It gets only the
 * fields that the choice depends on. Callbacks cannot cross, so they are called before for every deployment of the groups.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { detectBackend } from "../src/ffi/load.ts";
import { expect, program } from "./program.ts";
import { race } from "./race.ts";
import { Random } from "./random.ts";
import type { Cell } from "./record.ts";

/** A deployment with its state. */
interface Deployment {
  readonly id: string;
  /** The model that it serves, and the index of that. */
  readonly group: string;
  readonly groupId: number;
  readonly region: string;
  readonly tags: readonly string[];
  readonly order: number;
  readonly weight: number;
  readonly cooldownUntil: number;
  readonly requestsLeft: number;
  readonly tokensLeft: number;
}

interface Request {
  /** The model, then its fallbacks. */
  readonly groups: readonly string[];
  readonly tokens: number;
  readonly region: string;
  readonly draw: number;
  readonly now: number;
  /** The callback of the request: whether it accepts a deployment. */
  accepts(deployment: Deployment): boolean;
}

const GROUPS = ["gpt-5", "gpt-5-mini", "claude", "gemini", "llama"];
const REGIONS = ["us-east", "us-west", "eu-west", "eu-north"];
const DEPLOYMENTS = 50;
const REQUESTS = 256;
const NOW = 1_000_000;
/** Numbers of a deployment in a packed array. */
const FIELDS = 7;
const NATIVE = new URL("router/native/", import.meta.url);

function deploymentsOf(random: Random): Deployment[] {
  return Array.from({ length: DEPLOYMENTS }, (_, i) => ({
    id: `deployment-${i}`,
    group: GROUPS[i % GROUPS.length]!,
    groupId: i % GROUPS.length,
    region: random.pick(REGIONS),
    tags: random.next() < 0.3 ? ["free", "batch"] : ["paid"],
    order: random.integer(0, 2),
    weight: random.integer(1, 10),
    cooldownUntil: random.next() < 0.2 ? NOW + 5_000 : 0,
    requestsLeft: random.integer(0, 100),
    tokensLeft: random.integer(0, 100_000),
  }));
}

function requestsOf(random: Random): Request[] {
  return Array.from({ length: REQUESTS }, () => {
    const region = random.pick(REGIONS);
    const tier = random.next() < 0.5 ? "paid" : "free";
    return {
      groups: random.shuffled(GROUPS).slice(0, 3),
      tokens: random.integer(10, 60_000),
      region,
      draw: random.next(),
      now: NOW,
      accepts: ({ region: at, tags }) =>
        at.slice(0, 2) === region.slice(0, 2) && tags.includes(tier),
    };
  });
}

/** The index of the chosen deployment, or -1. */
function choose(request: Request, deployments: readonly Deployment[]): number {
  for (const group of request.groups) {
    const available: number[] = [];
    let lowest = Infinity;
    for (let i = 0; i < deployments.length; i++) {
      const one = deployments[i]!;
      if (
        one.group !== group || one.order > lowest || one.cooldownUntil > request.now ||
        one.requestsLeft < 1 || one.tokensLeft < request.tokens || !request.accepts(one)
      ) continue;
      if (one.order < lowest) available.length = 0;
      lowest = one.order;
      available.push(i);
    }
    let total = 0;
    for (const i of available) total += deployments[i]!.weight;
    let rest = request.draw * total;
    for (const i of available) {
      rest -= deployments[i]!.weight;
      if (rest < 0) return i;
    }
    if (available.length > 0) return available.at(-1)!;
  }
  return -1;
}

/** Makes the JSON of a request. */
function toJson(
  { groups, tokens, now, draw, accepts }: Request,
  all: readonly Deployment[],
): string {
  return JSON.stringify({
    groups,
    tokens,
    now,
    draw,
    deployments: all.map((one) => ({
      group: one.group,
      order: one.order,
      weight: one.weight,
      cooldownUntil: one.cooldownUntil,
      requestsLeft: one.requestsLeft,
      tokensLeft: one.tokensLeft,
      isAllowed: groups.includes(one.group) && accepts(one),
    })),
  });
}

const GROUP_IDS = new Map(GROUPS.map((group, id) => [group, id]));

/** Writes a request and the deployments into arrays. */
function pack(
  request: Request,
  all: readonly Deployment[],
  rows: Float64Array,
  head: Float64Array,
): void {
  head[0] = request.now;
  head[1] = request.tokens;
  head[2] = request.draw;
  for (let i = 0; i < request.groups.length; i++) {
    head[3 + i] = GROUP_IDS.get(request.groups[i]!)!;
  }
  for (let i = 0, at = 0; i < all.length; i++, at += FIELDS) {
    const one = all[i]!;
    const id = one.groupId;
    const isMember = id === head[3] || id === head[4] || id === head[5];
    rows[at] = id;
    rows[at + 1] = one.order;
    rows[at + 2] = one.weight;
    rows[at + 3] = one.cooldownUntil;
    rows[at + 4] = one.requestsLeft;
    rows[at + 5] = one.tokensLeft;
    rows[at + 6] = isMember && request.accepts(one) ? 1 : 0;
  }
}

/** Builds the native side and opens it. */
function openNative() {
  const target = fileURLToPath(new URL("../target/bench-router", import.meta.url));
  const manifest = fileURLToPath(new URL("Cargo.toml", NATIVE));
  const cargo = ["build", "--release", "--locked", "--quiet", "--manifest-path", manifest];
  execFileSync("cargo", [...cargo, "--target-dir", target], { stdio: "inherit" });
  const name = { darwin: "lib@.dylib", win32: "@.dll" }[process.platform as string] ?? "lib@.so";
  const args = ["buffer", "u32", "buffer", "u32"] as const;
  return detectBackend().open(
    `${target}/release/${name.replace("@", "sluice_bench_router")}`,
    {
      router_choose_json: { args, returns: "i32" },
      router_choose_packed: { args, returns: "i32" },
    } as const,
  );
}

async function run(brief: boolean): Promise<Cell[]> {
  const { router_choose_json, router_choose_packed } = openNative();
  const random = new Random(50);
  const deployments = deploymentsOf(random);
  const requests = requestsOf(random);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const input = new Uint8Array(new ArrayBuffer(1 << 16));
  const output = new Uint8Array(new ArrayBuffer(256));
  const rows = new Float64Array(new ArrayBuffer(8 * FIELDS * DEPLOYMENTS));
  const head = new Float64Array(new ArrayBuffer(8 * 6));
  const ways: Record<string, (request: Request) => unknown> = {
    "plain TypeScript": (request) => choose(request, deployments),
    "JSON across FFI": (request) => {
      const { written } = encoder.encodeInto(toJson(request, deployments), input);
      const length = router_choose_json(input, written, output, output.length);
      if (length < 0) return length;
      return (JSON.parse(decoder.decode(output.subarray(0, length))) as { index: number }).index;
    },
    "the JSON of the request alone": (request) =>
      encoder.encodeInto(toJson(request, deployments), input).written,
    "packed arrays across FFI": (request) => {
      pack(request, deployments, rows, head);
      return router_choose_packed(rows, DEPLOYMENTS, head, head.length);
    },
    "packing the arrays alone": (request) => pack(request, deployments, rows, head),
  };
  for (const request of requests) {
    const chosen = choose(request, deployments);
    for (const name of ["JSON across FFI", "packed arrays across FFI"]) {
      const index = ways[name]!(request);
      expect(index === chosen, `${name} chooses ${chosen}, not ${index}`);
    }
  }
  const contenders = Object.entries(ways).map(([name, way]) => {
    let at = 0;
    return { cell: { name }, call: () => way(requests[at = (at + 1) % REQUESTS]!) };
  });
  return await race("router", contenders, brief);
}

if (import.meta.main) await program({ name: "router", run });
