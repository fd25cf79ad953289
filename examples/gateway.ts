/**
 * An OpenAI-compatible gateway that uses all three parts of sluice. It counts the tokens of a chat, reserves them
 * for the tenant and the model, and sends the chat with the API key that has most capacity left. It streams the
 * answer through and charges the real cost, even if the client disconnects midway.
 *
 *     bun examples/gateway.ts            # one thread
 *     bun examples/gateway/workers.ts    # a Worker for each core; or: node examples/gateway/workers.ts
 *     deno serve -A --port 8787 --parallel --unstable-no-legacy-abort examples/gateway.ts
 *
 * `UPSTREAM` and `KEYS` (`https://api.openai.com`, `sk-a,sk-b`) name the upstream. Without them, a built-in one
 * answers.
 *
 * @module
 */
import process from "node:process";
import {
  concurrency,
  countRequest,
  deniedResponse,
  type EncodingName,
  limitHeaders,
  rate,
  RateLimiter,
  reserveAll,
  type ResolvedModel,
  resolveModel,
  SluiceError,
  Tokenizer,
  UpstreamPool,
} from "../mod.ts";
import { startFakeUpstream } from "./gateway/fake_upstream.ts";
import { metered } from "./gateway/metered.ts";

const { UPSTREAM = await startFakeUpstream(), KEYS = "key-a,key-b", PORT = "8787" } = process.env;
/** Tokens that are reserved for an answer if the client sets no maximum. */
const ANSWER_TOKENS = 1024;

// Every Worker that opens these names shares the same limiters and the same pool.
const tenants = new RateLimiter({
  name: "tenants",
  limits: {
    rpm: rate({ unit: "requests", limit: 600, per: "minute", burst: 60 }),
    tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
    live: concurrency({ limit: 16 }),
  },
});
const models = new RateLimiter({
  name: "models",
  limits: { tpm: rate({ unit: "tokens", limit: 2_000_000, per: "minute" }) },
});
const pool = new UpstreamPool({
  name: "openai",
  upstreams: KEYS.split(",").map((id) => ({ id, maxInFlight: 64 })),
  queue: { max: 1000, timeoutMs: 10_000 },
});

/** The fields of a request that the gateway reads. All others are passed on unchanged. */
interface Chat {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
  readonly n?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly max_tokens?: number | null;
}

/** Parses the body of a request as a chat. The upstream reports all other faults. */
async function chatOf(request: Request): Promise<Chat> {
  const chat = await request.json() as Partial<Chat> | null;
  if (typeof chat?.model !== "string") throw new TypeError("model must be a string");
  if (!Array.isArray(chat.messages)) throw new TypeError("messages must be an array");
  return chat as Chat;
}

/** The most that a chat can cost: the prompt, and answers of maximal length. */
function costOf(chat: Chat): { prompt: number; most: number } {
  const answers = checked("n", chat.n ?? 1, 128);
  const length = chat.max_completion_tokens ?? chat.max_tokens ?? ANSWER_TOKENS;
  // `countMessages` would throw for unknown content, and a new field must not stop traffic.
  const prompt = countRequest(chat, { format: "openai-chat" }).tokens;
  return { prompt, most: prompt + answers * checked("max_completion_tokens", length, 1_000_000) };
}

/** The key of a model's limit: the same for all spellings, and one for all unknown models. */
function limitKey({ model, known }: ResolvedModel): string {
  return known ? model : "unknown";
}

const tokenizers = new Map<EncodingName, Tokenizer>();

function tokenizerOf(encoding: EncodingName): Tokenizer {
  let tokenizer = tokenizers.get(encoding);
  if (tokenizer === undefined) tokenizers.set(encoding, tokenizer = new Tokenizer(encoding));
  return tokenizer;
}

function checked(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`${name} must be from 1 to ${most}`);
}

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method !== "POST" || pathname !== "/v1/chat/completions") {
    return failure(404, `there is no ${request.method} ${pathname}`);
  }
  // A real gateway looks up the tenant of the API key.
  const tenant = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (tenant === undefined) return failure(401, "an API key is missing");
  let chat: Chat;
  let cost: ReturnType<typeof costOf>;
  try {
    chat = await chatOf(request);
    cost = costOf(chat);
  } catch (error) {
    return failure(400, (error as Error).message);
  }

  const model = resolveModel(chat.model);
  const own = { limiter: tenants, key: tenant };
  const call = reserveAll([own, { limiter: models, key: limitKey(model) }], { tokens: cost.most });
  if (!call.allowed) {
    const problem = call.limiter === "tenants" ? "quota-exceeded" : "temporary-reduced-capacity";
    return deniedResponse(call, own, { problem });
  }

  let isSent = false;
  const send = (key: string) => {
    isSent = true;
    return new Request(new URL(pathname, UPSTREAM), {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      // The last chunk of a stream reports the usage. It is removed for clients that did not ask for it.
      body: JSON.stringify(
        chat.stream
          ? { ...chat, stream_options: { ...chat.stream_options, include_usage: true } }
          : chat,
      ),
    });
  };
  let answer: Response;
  try {
    const { signal } = request;
    answer = await pool.fetch(send, { signal, headersTimeoutMs: 60_000, reservation: call });
  } catch (error) {
    // The upstream may have served the request, so it is charged in full.
    isSent ? call.settle() : call.cancel();
    if (error instanceof SluiceError) return failure(503, error.message, { "retry-after": "1" });
    return failure(502, `no answer from upstream: ${(error as Error).message}`);
  }
  const headers = limitHeaders(own);
  headers.set("content-type", answer.headers.get("content-type") ?? "application/json");
  const body = metered(answer, call, {
    tokenizer: tokenizerOf(model.encoding),
    promptTokens: cost.prompt,
    wantsUsage: chat.stream_options?.include_usage === true,
  });
  return new Response(body, { status: answer.status, headers });
}

function failure(status: number, message: string, headers: HeadersInit = {}): Response {
  return Response.json({ error: { message, type: "gateway_error" } }, { status, headers });
}

/** The form of a server that `bun` and `deno serve` accept. */
interface Server {
  readonly port: number;
  readonly idleTimeout: number;
  fetch(request: Request): Promise<Response>;
}

const server: Server = { port: Number(PORT), idleTimeout: 120, fetch: handle };
export default server;
