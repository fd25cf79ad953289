/**
 * The two servers of the bench `gateway`, as `bun FILE` and `deno serve FILE` serve them: with `UPSTREAM` in the
 * environment a gateway that parses a chat request, counts its messages and forwards it, and otherwise its upstream.
 *
 * @module
 */
import process from "node:process";
import { Tokenizer } from "../../mod.ts";
import { ENGINES } from "../engines.ts";
import type { GatewayStats, Variant } from "../gateway.ts";
import type { ChatMessage, ChatRequest } from "../made_texts.ts";

/** A server; Deno takes host and port from its command line instead. */
interface Served {
  readonly hostname: string;
  readonly port: number;
  fetch(request: Request): Promise<Response>;
}

/** The tokens of a text, now or later. */
type CountText = (text: string) => number | Promise<number>;

const { UPSTREAM: upstream, VARIANT: variant, PORT: port } = process.env;
const HEADERS = { "content-type": "application/json" };
const COMPLETION = JSON.stringify({
  id: "chatcmpl-0",
  object: "chat.completion",
  created: 0,
  model: "gpt-5",
  choices: [{
    index: 0,
    message: {
      role: "assistant",
      content: "Call me Ishmael. Some years ago, never mind how long.",
    },
    finish_reason: "stop",
  }],
  usage: { prompt_tokens: 100, completion_tokens: 12, total_tokens: 112 },
});

const countText = await loadVariant(variant as Variant | undefined);
let requests = 0;

async function loadVariant(variant: Variant | undefined): Promise<CountText | undefined> {
  switch (variant) {
    case undefined:
    case "none":
      return undefined;
    case "sluice, async": {
      const tokenizer = new Tokenizer("o200k_base");
      return (text) => tokenizer.countAsync(text);
    }
    case "sluice, cached": {
      const tokenizer = new Tokenizer("o200k_base", { cache: true });
      return (text) => tokenizer.count(text);
    }
    default:
      return (await ENGINES[variant]("o200k_base")).count;
  }
}

function count(messages: readonly ChatMessage[]): number | Promise<number> {
  if (countText === undefined) return 0;
  let sum = 0;
  for (const [i, { content }] of messages.entries()) {
    const counted = content === null ? 0 : countText(content);
    if (typeof counted === "number") sum += counted;
    else return countLater(messages.slice(i + 1), sum, counted);
  }
  return sum;
}

async function countLater(
  messages: readonly ChatMessage[],
  sum: number,
  first: Promise<number>,
): Promise<number> {
  const rest = messages.map(({ content }) => content === null ? 0 : countText!(content));
  return (await Promise.all([first, ...rest])).reduce((total, count) => total + count, sum);
}

async function forward(request: Request): Promise<Response> {
  const body = await request.text();
  const { messages } = JSON.parse(body) as ChatRequest;
  const counted = count(messages);
  const tokens = typeof counted === "number" ? counted : await counted;
  requests++;
  const answer = await fetch(upstream!, { method: "POST", headers: HEADERS, body });
  const headers = { ...HEADERS, "x-prompt-tokens": String(tokens) };
  return new Response(await answer.text(), { status: answer.status, headers });
}

const server: Served = {
  hostname: "127.0.0.1",
  port: Number(port),
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      const { user, system } = process.cpuUsage();
      return Response.json({ requests, cpu: user + system } satisfies GatewayStats);
    }
    if (upstream !== undefined) return await forward(request);
    await request.arrayBuffer();
    return new Response(COMPLETION, { headers: HEADERS });
  },
};

export default server;
