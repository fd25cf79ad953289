/**
 * The gateway that is measured: parses a chat request, counts its messages if told to, forwards it,
 * reads the answer and passes it on. Served by `bun FILE` and by `deno serve FILE` alike.
 *
 * `UPSTREAM`, `VARIANT` and, for Bun, `PORT` come from the environment.
 *
 * @module
 */
import process from "node:process";
import type { ChatMessage, ChatRequest } from "../made_texts.ts";
import { startProfile, stopProfile } from "./profile.ts";
import type { Served } from "./served.ts";
import { loadVariant, type Variant } from "./variants.ts";

/** What the gateway did since it started. */
export interface GatewayStats {
  readonly requests: number;
  readonly tokens: number;
  /** Microseconds of CPU that the process used, all its threads together. */
  readonly cpu: number;
  /** Megabytes of resident memory. */
  readonly rss: number;
}

const upstream = process.env["UPSTREAM"]!;
const countText = await loadVariant(process.env["VARIANT"] as Variant);
let requests = 0;
let tokens = 0;

async function forwardChat(request: Request): Promise<Response> {
  const body = await request.text();
  const chat = parseChat(body);
  const counted = countRequest(chat);
  const prompt = typeof counted === "number" ? counted : await counted;
  requests++;
  tokens += prompt;
  const answer = await fetch(upstream, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return new Response(await answer.text(), {
    status: answer.status,
    headers: { "content-type": "application/json", "x-prompt-tokens": String(prompt) },
  });
}

/** A function of its own, as {@linkcode countRequest} is: a profile shows their time by name. */
function parseChat(body: string): ChatRequest {
  return JSON.parse(body) as ChatRequest;
}

function countRequest({ messages }: ChatRequest): number | Promise<number> {
  if (countText === undefined) return 0;
  let sum = 0;
  for (const [i, { content }] of messages.entries()) {
    if (content === null) continue;
    const counted = countText(content);
    if (typeof counted !== "number") return countLater(messages.slice(i + 1), sum, counted);
    sum += counted;
  }
  return sum;
}

async function countLater(
  messages: readonly ChatMessage[],
  sum: number,
  first: Promise<number>,
): Promise<number> {
  const rest = messages.map(({ content }) => content === null ? 0 : countText!(content));
  const counts = await Promise.all([first, ...rest]);
  return counts.reduce((total, count) => total + count, sum);
}

function stats(): GatewayStats {
  const { user, system } = process.cpuUsage();
  return { requests, tokens, cpu: user + system, rss: process.memoryUsage().rss / 1e6 };
}

/** What `bun FILE` and `deno serve FILE` serve. */
const server: Served = {
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  /** The chat endpoint, and three more for who measures. */
  async fetch(request: Request): Promise<Response> {
    if (request.method === "POST") return await forwardChat(request);
    switch (new URL(request.url).pathname) {
      case "/stats":
        return Response.json(stats());
      case "/profile/start":
        return Response.json(await startProfile());
      case "/profile/stop":
        return Response.json(await stopProfile());
      default:
        return new Response("not found", { status: 404 });
    }
  },
};

export default server;
