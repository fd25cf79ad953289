/**
 * Every function with options refuses unknown ones, and accepts each documented one.
 *
 * The options are typed as required, so the compiler finds one that is missing here.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  type AcquireOptions,
  type AcquireResourceOptions,
  type AdaptiveLimitOptions,
  type AsyncOptions,
  type BatchOptions,
  type ChunkOptions,
  type ColumnAsyncOptions,
  concurrency,
  type ConcurrencyOptions,
  type CountCacheOptions,
  type CountLinesAsyncOptions,
  type CountLinesOptions,
  countMessages,
  type CountMessagesOptions,
  countRequest,
  type CountRequestOptions,
  deniedResponse,
  type DeniedResponseOptions,
  type DrainOptions,
  type EncodeColumnOptions,
  type EncodeLinesOptions,
  type EncodeOptions,
  type EosOptions,
  type IdOptions,
  ipKey,
  type IpKeyOptions,
  limitHeaders,
  type LimitHeadersOptions,
  type LinesAsyncOptions,
  type ModelTokenizerOptions,
  type PoolFetchOptions,
  type PoolHealthOptions,
  type PoolOptions,
  type PoolQueueOptions,
  quota,
  type QuotaOptions,
  rate,
  RateLimiter,
  type RateLimiterOptions,
  type RateOptions,
  reserveAll,
  reserveAllShared,
  type ReserveOptions,
  resolveModel,
  type ResolveModelOptions,
  ResourcePool,
  type ResourcePoolOptions,
  type SharedCallOptions,
  type SharedReserveOptions,
  type SignalOptions,
  takeAllShared,
  type TakeUpToOptions,
  type TextOptions,
  TokenCounterStream,
  Tokenizer,
  type TokenizerOptions,
  type TruncateOptions,
  type TryAcquireOptions,
  type UpstreamChanges,
  type UpstreamOptions,
  UpstreamPool,
  VirtualClock,
} from "../mod.ts";
import { valkey, type ValkeyOptions } from "../src/shared/mod.ts";
import {
  type CorpusOptions,
  inspectCorpus,
  type InspectOptions,
  planCorpus,
  type PlanCorpusOptions,
  tokenizeCorpus,
  type TokenizeCorpusOptions,
  tokenizeUnit,
  type WorkOptions,
} from "../src/corpus/mod.ts";
import { refused } from "./support/limiter.ts";

/** Something that takes options. */
interface Taker {
  readonly type: string;
  readonly options: object;
  readonly call: (options: never) => unknown;
}

const takers = new Map<string, Taker>();

/**
 * @param type The name of the type of the options.
 * @param options All of its options.
 */
function takes<Options extends object>(
  what: string,
  type: string,
  options: Required<Options>,
  call: (options: Options) => unknown,
): void {
  takers.set(what, { type, options, call });
}

const { signal } = new AbortController();
const clock = new VirtualClock();
const tokenizer = new Tokenizer("o200k_base");
const limiter = new RateLimiter({ limits: { rpm: rate({ limit: 1e6, per: "minute" }) }, clock });
const empty = new RateLimiter({ limits: { rpm: rate({ limit: 0, per: "minute" }) }, clock });
const denied = refused(empty.take("k"));
/** A store that answers nothing of use. */
const client = { run: () => Promise.resolve("a word") };
const shared = valkey({ client });
const many = new RateLimiter({
  name: `unknown options of many ${crypto.randomUUID()}`,
  limits: { rpm: rate({ limit: 1e6, per: "minute" }) },
  shared,
});
const pool = new UpstreamPool({ upstreams: [{ id: "a", maxInFlight: 10 }] });
const resources = new ResourcePool({ create: () => ({}), max: 4 });
const long = "a text for a thread ".repeat(100);
const messages = [{ role: "user", content: "Hello!" }];

const close = (opened: { close(): unknown }): unknown => opened.close();

const text: Required<TextOptions> = { special: "text" };
takes<TextOptions>("count", "TextOptions", text, (own) => tokenizer.count("x", own));
takes<TextOptions>(
  "isWithinLimit",
  "TextOptions",
  text,
  (own) => tokenizer.isWithinLimit("x", 3, own),
);
takes<TextOptions>(
  "encodeInto",
  "TextOptions",
  text,
  (own) => tokenizer.encodeInto("x", new Uint32Array(4), own),
);
takes<TextOptions>("counter", "TextOptions", text, (own) => close(tokenizer.counter(own)));
takes<TextOptions>(
  "new TokenCounterStream",
  "TextOptions",
  text,
  (own) => new TokenCounterStream(tokenizer, own).readable.cancel(),
);
takes<EncodeOptions>(
  "encode",
  "EncodeOptions",
  { ...text, pooled: true },
  (own) => tokenizer.encode("x", own),
);
const batch: Required<BatchOptions> = { ...text, threads: 1 };
takes<BatchOptions>("countBatch", "BatchOptions", batch, (own) => tokenizer.countBatch(["x"], own));
takes<BatchOptions>(
  "encodeBatch",
  "BatchOptions",
  batch,
  (own) => tokenizer.encodeBatch(["x"], own),
);
const off: Required<AsyncOptions> = { ...text, threads: 1, signal };
for (const it of ["x", long]) {
  const of = it === long ? "a long text" : "a short one";
  takes<AsyncOptions>(
    `countAsync of ${of}`,
    "AsyncOptions",
    off,
    (own) => tokenizer.countAsync(it, own),
  );
  takes<AsyncOptions>(
    `encodeAsync of ${of}`,
    "AsyncOptions",
    off,
    (own) => tokenizer.encodeAsync(it, own),
  );
  takes<AsyncOptions>(
    `countBatchAsync of ${of}`,
    "AsyncOptions",
    off,
    (own) => tokenizer.countBatchAsync([it], own),
  );
  takes<AsyncOptions>(
    `encodeBatchAsync of ${of}`,
    "AsyncOptions",
    off,
    (own) => tokenizer.encodeBatchAsync([it], own),
  );
}
takes<TruncateOptions>(
  "truncate",
  "TruncateOptions",
  { ...text, side: "tail", marker: "-" },
  (own) => tokenizer.truncate(long, 5, own),
);
takes<ChunkOptions>(
  "chunks",
  "ChunkOptions",
  { ...text, size: 50, overlap: 1 },
  (own) => tokenizer.chunks(long, own),
);
const made: Required<TokenizerOptions> = { ...text, cache: true };
takes<TokenizerOptions>(
  "new Tokenizer",
  "TokenizerOptions",
  made,
  (own) => close(new Tokenizer("o200k_base", own)),
);
takes<ModelTokenizerOptions>(
  "Tokenizer.forModel",
  "ModelTokenizerOptions",
  { ...made, estimate: true },
  (own) => close(Tokenizer.forModel("gpt-5", own)),
);
takes<CountCacheOptions>(
  "a cache",
  "CountCacheOptions",
  { entries: 100 },
  (cache) => close(new Tokenizer("o200k_base", { cache })),
);
takes<CountCacheOptions>(
  "the cache of countRequest",
  "CountCacheOptions",
  { entries: 100 },
  (cache) => countRequest({ model: "gpt-5", messages }, { cache }),
);
takes<ResolveModelOptions>(
  "resolveModel",
  "ResolveModelOptions",
  { unknownModel: "o200k_base" },
  (own) => resolveModel("gpt-5", own),
);
takes<CountMessagesOptions>(
  "countMessages",
  "CountMessagesOptions",
  { unknownModel: "o200k_base", cache: false },
  (own) => countMessages(messages, { model: "gpt-5" }, own),
);
takes<CountRequestOptions>(
  "countRequest",
  "CountRequestOptions",
  { model: "gpt-5", unknownModel: "o200k_base", format: "openai-chat", cache: false },
  (own) => countRequest({ messages }, own),
);

takes<RateLimiterOptions>(
  "new RateLimiter",
  "RateLimiterOptions",
  {
    name: `unknown options ${crypto.randomUUID()}`,
    limits: { rpm: rate({ limit: 1, per: "minute" }) },
    maxKeys: 10,
    clock,
    reservationTtlMs: 1000,
    trackLeaks: true,
    shared,
  },
  (own) => close(new RateLimiter(own)),
);
takes<RateOptions>(
  "rate",
  "RateOptions",
  { unit: "u", limit: 1, per: "day", burst: 2, onOutage: "open" },
  rate,
);
// Together they are all: no window is a month and a week.
takes<Omit<QuotaOptions, "utcOffset" | "weekStart" | "yearStart">>(
  "quota by months",
  "QuotaOptions",
  { unit: "u", limit: 1, per: "month", timeZone: "UTC", monthStart: 3, onOutage: "open" },
  quota,
);
takes<Pick<QuotaOptions, "limit" | "per" | "utcOffset" | "weekStart">>(
  "quota by weeks",
  "QuotaOptions",
  { limit: 1, per: "week", utcOffset: 60, weekStart: "sunday" },
  quota,
);
takes<Pick<QuotaOptions, "limit" | "per" | "yearStart">>(
  "quota by years",
  "QuotaOptions",
  { limit: 1, per: "year", yearStart: "04-06" },
  quota,
);
takes<ConcurrencyOptions>(
  "concurrency",
  "ConcurrencyOptions",
  { unit: "concurrent", limit: 1, onOutage: "open" },
  concurrency,
);
takes<ValkeyOptions>(
  "valkey",
  "ValkeyOptions",
  {
    client,
    prefix: "p",
    mode: "exact",
    onOutage: "open",
    processes: 2,
    onLoss: "strict",
    timeoutMs: 50,
    leaseMs: 1000,
    slot: (key) => key,
  },
  valkey,
);
const call: Required<SharedCallOptions> = { signal, timeoutMs: 1000 };
takes<SharedCallOptions>(
  "takeShared",
  "SharedCallOptions",
  call,
  (own) => many.takeShared("k", undefined, own),
);
takes<SharedCallOptions>(
  "peekShared",
  "SharedCallOptions",
  call,
  // Nothing is asked for, which credit covers.
  (own) => many.peekShared("k", { requests: 0 }, own),
);
takes<SharedCallOptions>(
  "takeAllShared",
  "SharedCallOptions",
  call,
  (own) => takeAllShared([{ limiter: many, key: "k" }], undefined, own),
);
takes<SharedReserveOptions>(
  "reserveShared",
  "SharedReserveOptions",
  { ...call, ttlMs: 1000 },
  (own) => many.reserveShared("k", undefined, own),
);
takes<SharedReserveOptions>(
  "reserveAllShared",
  "SharedReserveOptions",
  { ...call, ttlMs: 1000 },
  (own) => reserveAllShared([{ limiter: many, key: "k" }], undefined, own),
);
takes<ReserveOptions>("reserve", "ReserveOptions", { ttlMs: 1000 }, (own) => {
  const reserved = limiter.reserve("k", undefined, own);
  if (reserved.allowed) reserved.cancel();
});
takes<ReserveOptions>("reserveAll", "ReserveOptions", { ttlMs: 1000 }, (own) => {
  const reserved = reserveAll([{ limiter, key: "k" }], undefined, own);
  if (reserved.allowed) reserved.cancel();
});
takes<TakeUpToOptions>(
  "takeUpTo",
  "TakeUpToOptions",
  { step: 1 },
  (own) => limiter.takeUpTo("k", { requests: 1 }, own),
);
const lines = new TextEncoder().encode('{"text":"x"}\n');
const column = { offsets: Int32Array.of(0, 13), values: lines };
const reading: Required<CountLinesOptions> = { ...text, field: "text", isLast: true };
const eos: Required<EosOptions> = { id: 199999, at: "append" };
const ids: Required<IdOptions> = { ...text, dtype: "u32", eos };
const inTime: Required<SignalOptions> = { signal };
takes<CountLinesOptions>(
  "countLines",
  "CountLinesOptions",
  reading,
  (own) => tokenizer.countLines(lines, own),
);
takes<EncodeLinesOptions>(
  "encodeLines",
  "EncodeLinesOptions",
  { ...reading, ...ids },
  (own) => tokenizer.encodeLines(lines, own),
);
takes<EosOptions>("eos", "EosOptions", eos, (own) => tokenizer.encodeLines(lines, { eos: own }));
takes<EncodeColumnOptions>(
  "encodeColumn",
  "EncodeColumnOptions",
  ids,
  (own) => tokenizer.encodeColumn(column, own),
);
takes<IdOptions>("ids", "IdOptions", ids, (own) => tokenizer.encodeColumn(column, own));
takes<CountLinesAsyncOptions>(
  "countLinesAsync",
  "CountLinesAsyncOptions",
  { ...reading, ...inTime },
  (own) => tokenizer.countLinesAsync(lines, own),
);
takes<LinesAsyncOptions>(
  "encodeLinesAsync",
  "LinesAsyncOptions",
  { ...reading, ...ids, ...inTime },
  (own) => tokenizer.encodeLinesAsync(lines, own),
);
takes<ColumnAsyncOptions>(
  "encodeColumnAsync",
  "ColumnAsyncOptions",
  { ...ids, ...inTime },
  (own) => tokenizer.encodeColumnAsync(column, own),
);
takes<SignalOptions>(
  "signal",
  "SignalOptions",
  inTime,
  (own) => tokenizer.encodeColumnAsync(column, own),
);

const folder = mkdtempSync(join(tmpdir(), "sluice-options-"));
after(() => rmSync(folder, { recursive: true }));
const corpus = [join(folder, "in.jsonl")];
writeFileSync(corpus[0]!, lines);
const [planned, done] = [join(folder, "planned"), join(folder, "done")];
await tokenizeCorpus(corpus, done, { encoding: "o200k_base", threads: 1 });
const corpusOptions: Required<CorpusOptions> = {
  encoding: "o200k_base",
  model: undefined, // It excludes an encoding.
  format: "jsonl",
  dtype: "auto",
  field: "text",
  idField: undefined, // It excludes `pack`.
  special: "text",
  eos: "none",
  pack: 8,
  pad: true,
  unitBytes: 1000,
  memory: 1e8,
};
const planOptions: Required<PlanCorpusOptions> = {
  ...corpusOptions,
  include: ["*.jsonl"],
  exclude: ["*.txt"],
  hidden: false,
  kind: "jsonl",
  fresh: false,
};
takes<CorpusOptions>(
  "corpora",
  "CorpusOptions",
  corpusOptions,
  (own) => planCorpus(corpus, planned, own),
);
takes<PlanCorpusOptions>(
  "planCorpus",
  "PlanCorpusOptions",
  planOptions,
  (own) => planCorpus(corpus, planned, own),
);
takes<TokenizeCorpusOptions>(
  "tokenizeCorpus",
  "TokenizeCorpusOptions",
  {
    ...planOptions,
    shard: "0/1",
    threads: 1,
    verify: true,
    maxBadLines: 1,
    signal,
    onEvent: () => {},
  },
  (own) => tokenizeCorpus(corpus, join(folder, "tokens"), own),
);
takes<WorkOptions>(
  "tokenizeUnit",
  "WorkOptions",
  { onProgress: () => {}, onBadLine: () => {}, signal },
  (own) => tokenizeUnit(done, 0, own),
);
takes<InspectOptions>(
  "inspectCorpus",
  "InspectOptions",
  { unit: 0, onStart: () => {}, onRead: () => {} },
  (own) => inspectCorpus(done, own),
);

takes<IpKeyOptions>("ipKey", "IpKeyOptions", { v6Prefix: 48 }, (own) => ipKey("::1", own));
takes<LimitHeadersOptions>(
  "limitHeaders",
  "LimitHeadersOptions",
  { fields: ["ietf"], denied, heldRetryAfterMs: 1 },
  (own) => limitHeaders({ limiter, key: "k" }, own),
);
takes<DeniedResponseOptions>(
  "deniedResponse",
  "DeniedResponseOptions",
  {
    fields: ["ietf"],
    heldRetryAfterMs: 1,
    problem: "quota-exceeded",
    errorForm: "openai",
    detail: "no",
  },
  (own) => deniedResponse(denied, { limiter: empty, key: "k" }, own),
);

const upstream: Required<UpstreamOptions> = { id: "a", maxInFlight: 1, weight: 1, tier: 0 };
const queue: Required<PoolQueueOptions> = { max: 10, timeoutMs: 1000, agingMs: 10 };
const health: Required<PoolHealthOptions> = {
  failures: 1,
  failureRate: 0.5,
  minResults: 5,
  windowMs: 100,
  cooldownMs: 100,
  maxEjected: 0.5,
};
const adaptive: Required<AdaptiveLimitOptions> = { min: 1, backoff: 0.5 };
const upstreams = [upstream];
takes<PoolOptions>(
  "new UpstreamPool",
  "PoolOptions",
  {
    name: `unknown options ${crypto.randomUUID()}`,
    upstreams,
    maxInFlight: 10,
    queue,
    leaseTtlMs: 1000,
    shared,
    health,
    adaptive,
    trackLeaks: false,
    onEvent: () => {},
  },
  (own) => close(new UpstreamPool(own)),
);
takes<PoolQueueOptions>(
  "a queue",
  "PoolQueueOptions",
  queue,
  (queue) => close(new UpstreamPool({ upstreams, queue })),
);
takes<PoolQueueOptions>(
  "the queue of resources",
  "PoolQueueOptions",
  queue,
  (queue) => close(new ResourcePool({ create: () => ({}), max: 1, queue })),
);
takes<PoolHealthOptions>(
  "health",
  "PoolHealthOptions",
  health,
  (health) => close(new UpstreamPool({ upstreams, health })),
);
takes<AdaptiveLimitOptions>(
  "adaptive",
  "AdaptiveLimitOptions",
  adaptive,
  (adaptive) => close(new UpstreamPool({ upstreams, adaptive })),
);
takes<UpstreamOptions>(
  "upstreams[0]",
  "UpstreamOptions",
  upstream,
  (own) => close(new UpstreamPool({ upstreams: [own] })),
);
takes<UpstreamOptions>("addUpstream", "UpstreamOptions", { ...upstream, id: "b" }, (own) => {
  pool.addUpstream(own);
  pool.removeUpstream("b");
});
takes<UpstreamChanges>(
  "updateUpstream",
  "UpstreamChanges",
  { maxInFlight: 10, weight: 1, tier: 0 },
  (own) => pool.updateUpstream("a", own),
);
takes<TryAcquireOptions>(
  "tryAcquire",
  "TryAcquireOptions",
  { prefer: "a" },
  (own) => pool.tryAcquire(own)?.release(),
);
takes<TryAcquireOptions>(
  "acquireBatch",
  "TryAcquireOptions",
  { prefer: "a" },
  (own) => pool.releaseBatch(pool.acquireBatch(1, own)),
);
const acquire: Required<AcquireOptions> = { prefer: "a", signal, priority: 1, timeoutMs: 1000 };
takes<AcquireOptions>(
  "acquire",
  "AcquireOptions",
  acquire,
  async (own) => (await pool.acquire(own)).release(),
);
takes<PoolFetchOptions>(
  "fetch",
  "PoolFetchOptions",
  {
    ...acquire,
    init: () => ({}),
    fetch: () => Promise.resolve(new Response("text")),
    headersTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    reservation: { ttlMs: 1000, renew: () => true },
    classify: () => undefined,
  },
  async (own) => await (await pool.fetch(() => "data:,text", own)).text(),
);
takes<DrainOptions>("drainUpstream", "DrainOptions", { signal }, async (own) => {
  await pool.drainUpstream("a", own);
  pool.resumeUpstream("a");
});
takes<DrainOptions>("drain", "DrainOptions", { signal }, async (own) => {
  using pool = new UpstreamPool({ upstreams });
  await pool.drain(own);
});
takes<DrainOptions>("close of a pool", "DrainOptions", { signal }, async (own) => {
  await new UpstreamPool({ upstreams }).close(own);
});
takes<ResourcePoolOptions<object>>(
  "new ResourcePool",
  "ResourcePoolOptions",
  {
    create: () => ({}),
    validate: () => true,
    destroy: () => {},
    max: 1,
    min: 0,
    name: `unknown options ${crypto.randomUUID()}`,
    queue,
    createTimeoutMs: 1000,
    validateTimeoutMs: 1000,
    destroyTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    maxLifetimeMs: 1000,
    lifetimeJitter: 0,
    reuse: "newest",
    trackLeaks: false,
    onEvent: () => {},
  },
  (own) => close(new ResourcePool(own)),
);
const { prefer: _, ...acquireResource } = acquire;
takes<AcquireResourceOptions>(
  "acquire of resources",
  "AcquireResourceOptions",
  acquireResource,
  async (own) => (await resources.acquire(own)).release(),
);
takes<AcquireResourceOptions>(
  "use of resources",
  "AcquireResourceOptions",
  acquireResource,
  (own) => resources.use(() => {}, own),
);
takes<DrainOptions>("drain of resources", "DrainOptions", { signal }, async (own) => {
  await new ResourcePool({ create: () => ({}), max: 1 }).drain(own);
});
takes<DrainOptions>("close of resources", "DrainOptions", { signal }, async (own) => {
  await new ResourcePool({ create: () => ({}), max: 1 }).close(own);
});

describe("Options", () => {
  after(async () => {
    for (const opened of [tokenizer, limiter, empty, many, clock]) opened.close();
    await pool.close();
    await resources.close();
  });

  for (const [what, { options, call }] of takers) {
    const called = async (options: object): Promise<unknown> => await call(options as never);

    it(`of ${what}: each documented one is accepted`, async () => {
      await called(options);
      // Inherited properties are ignored.
      await called(Object.assign(Object.create({ others: 1 }), options));
    });

    it(`of ${what}: an unknown one is a TypeError that names it`, async () => {
      for (const option of Object.keys(options)) {
        const misspelt = { ...options, [`${option}x`]: 1 };
        await assert.rejects(called(misspelt), (error: Error) => {
          assert.equal(error.name, "TypeError", String(error));
          assert.ok(error.message.includes(`must not have "${option}x"`), error.message);
          return true;
        });
      }
    });

    it(`of ${what}: a value that is not an object is a TypeError`, async () => {
      for (const options of [null, 1, "options"]) {
        await assert.rejects(
          called(options as never),
          { name: "TypeError", message: /must be (a boolean or )?an object/ },
        );
      }
    });
  }

  it("are refused before they have an effect", () => {
    assert.deepEqual(
      [pool.stats().inFlight, pool.stats().upstreams.length, resources.stats().inUse],
      [0, 1, 0],
    );
    assert.equal(limiter.stats().reservations, 0);
  });

  it("of every exported type are tested here", () => {
    const src = new URL("../src/", import.meta.url);
    const types = readdirSync(src, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !["cli", "ffi", "files"].includes(entry.name))
      .flatMap(({ name }) => {
        const source = readFileSync(new URL(`${name}/mod.ts`, src), "utf8");
        return source.match(/\b\w+(Options|Changes)\b/g) ?? [];
      });
    assert.ok(types.length > 25, `${types.length} types`);
    const tried = new Set([...takers.values()].map(({ type }) => type));
    tried.add("PlanOptions"); // It is a part of a record, and no call takes it.
    assert.deepEqual([...new Set(types)].filter((type) => !tried.has(type)), []);
  });
});
