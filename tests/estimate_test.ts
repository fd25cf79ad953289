/** `sluice estimate` on real shapes of lines, beside the plain loop over `countRequest`. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { countRequest, Tokenizer } from "../mod.ts";
import { defaultPrices } from "../src/corpus/estimate/default_prices.ts";
import { estimateFiles, type FilesOptions } from "../src/corpus/estimate/estimate_files.ts";
import { KNOWN_LIMITS } from "../src/corpus/split/limits.ts";
import {
  ANTHROPIC,
  CHAT,
  COMPLETION,
  EMBEDDINGS,
  estimate,
  lines,
  MISTRAL,
  naive,
  openai,
  PRICES,
  RESPONSE,
  SYSTEM,
  USER,
} from "./fixtures/batch_lines.ts";
import { Files } from "./fixtures/cli.ts";

describe("an estimate of a batch", () => {
  it("has the tokens, replies and costs of chats, responses and completions", async () => {
    const { result, lines: each } = await estimate(lines(CHAT, RESPONSE, COMPLETION));
    const bodies = [CHAT.body, RESPONSE.body, COMPLETION.body];
    const counts = bodies.map((body) => countRequest(body));
    assert.equal(result.kind, "batch");
    assert.equal(result.tokens, naive(bodies));
    assert.deepEqual(result.exact, {
      requests: 2,
      tokens: counts[0]!.tokens + counts[2]!.tokens,
    });
    assert.deepEqual(result.estimated, { requests: 1, tokens: counts[1]!.tokens });
    assert.deepEqual(
      result.models.map(({ model, requests, output }) => [model, requests, output]),
      [
        ["gpt-4o", 2, 150],
        // Two prompts, each with three replies of which two are returned.
        ["gpt-3.5-turbo-instruct", 1, 96],
      ],
    );
    const input = (counts[0]!.tokens + counts[1]!.tokens) / 1e6;
    assert.ok(Math.abs(result.batchCost.input - input) < 1e-12);
    assert.ok(Math.abs(result.batchCost.output - 4 * 150 / 1e6) < 1e-12);
    assert.ok(Math.abs(result.cost.total - (2 * input + 10 * 150 / 1e6)) < 1e-12);
    assert.deepEqual(result.unpriced, { models: ["gpt-3.5-turbo-instruct"], requests: 1 });
    assert.deepEqual(each[2], {
      line: 3,
      custom_id: "completion",
      model: "gpt-3.5-turbo-instruct",
      tokens: counts[2]!.tokens,
      output: 96,
    });
    assert.deepEqual(result.endpoints, {
      "/v1/chat/completions": 1,
      "/v1/responses": 1,
      "/v1/completions": 1,
    });
  });

  it("counts the inputs of embeddings: texts, lists and token ids", async () => {
    const { result, lines: each } = await estimate(lines(...EMBEDDINGS));
    using tokenizer = Tokenizer.forModel("text-embedding-3-small");
    const texts = ["naïve 你好 😀", "one two", "three", ""];
    const tokens = texts.reduce((sum, text) => sum + tokenizer.count(text), 0) + 4 + 3;
    assert.equal(result.tokens, tokens);
    assert.equal(result.exact.requests, 4);
    assert.equal(result.inputs, 1 + 3 + 1 + 2);
    assert.deepEqual(each.map((line) => (line as { output: number }).output), [0, 0, 0, 0]);
    assert.ok(Math.abs(result.batchCost.total - 0.01 * tokens / 1e6) < 1e-15);
    const { limits: [openai] } = result;
    assert.equal(openai!.name, "openai-batch");
    const used = openai!.limits.map(({ unit, of, used }) => [unit, of, used]);
    assert.deepEqual(used, [
      ["requests", "file", 4],
      ["bytes", "file", new TextEncoder().encode(lines(...EMBEDDINGS)).length],
      ["inputs", "file", 7],
      ["models", "file", 1],
      ["inputs", "request", 3],
      ["tokens", "request", Math.max(4, tokenizer.count(texts[0]!))],
      ["input_bytes", "request", new TextEncoder().encode(texts[0]).length],
    ]);
  });

  it("takes the tier of each prompt of Anthropic's lines, and half in a batch", async () => {
    const { result } = await estimate(lines(...ANTHROPIC));
    const [a, b] = ANTHROPIC.map(({ params }) => countRequest(params).tokens);
    assert.ok(a! <= 30 && b! > 30, "the second one is in the tier");
    assert.equal(result.limits[0]!.name, "anthropic-batch");
    assert.ok(Math.abs(result.cost.input - (3 * a! + 6 * b!) / 1e6) < 1e-12);
    assert.ok(Math.abs(result.cost.output - (15 * 64 + 20 * 32) / 1e6) < 1e-12);
    assert.ok(Math.abs(result.batchCost.total - result.cost.total / 2) < 1e-12);
    assert.deepEqual(result.exact.requests, 0);
  });

  it("takes the limits of the provider that the first line is for", async () => {
    const names = async (line: unknown) =>
      (await estimate(lines(line))).result.limits.map(({ name }) => name);
    assert.deepEqual(await names(CHAT), ["openai-batch"]);
    assert.deepEqual(await names({ ...CHAT, url: "/chat/completions" }), ["azure-batch"]);
    assert.deepEqual(await names(MISTRAL), ["mistral-batch"]);
    assert.deepEqual(await names({ key: "g", request: { contents: [] } }), []);
  });

  it("finds missing, equal and refused identifiers", async () => {
    const { result } = await estimate(
      lines(CHAT, { ...CHAT, custom_id: 7 }, CHAT, { ...CHAT, custom_id: "" }, "", {
        ...CHAT,
        custom_id: "é",
      }, { ...CHAT, custom_id: "é" }),
      { limits: KNOWN_LIMITS.filter(({ name }) => name === "anthropic-batch") },
    );
    const { ids } = result;
    assert.deepEqual([ids!.missing, ids!.duplicates, ids!.refused], [2, 2, 2]);
    assert.deepEqual(ids!.firstMissing.map(({ line }) => line), [2, 4]);
    assert.deepEqual(ids!.firstDuplicates.map(({ id, line, first }) => [id, line, first]), [
      ["chat", 3, 1],
      ["é", 7, 6],
    ]);
    const twice = await estimate(lines(CHAT), { times: 2 });
    assert.equal(twice.result.requests, 2);
    assert.equal(twice.result.ids!.duplicates, 0, "each file is a batch");
  });

  it("says which requests are over the context, and which models have no price", async () => {
    const long = openai("long", "/v1/chat/completions", {
      model: "gpt-4o",
      messages: [{ role: "user", content: "word ".repeat(60) }],
    });
    const { result, lines: each } = await estimate(lines(CHAT, long, COMPLETION));
    assert.deepEqual([result.context.known, result.context.over], [2, 1]);
    assert.equal(result.context.firstOver[0]!.line, 2);
    assert.equal((each[1] as { over_context: unknown }).over_context, true);
    assert.equal(result.unbounded, 1, "the long one names no maximum");
    const all = await estimate(lines(CHAT, long, COMPLETION), { context: 5 });
    assert.equal(all.result.context.over, 3);
    const gpt5 = { ...CHAT, body: { ...CHAT.body, model: "gpt-99-ultra" } };
    const unknown = await estimate(lines(gpt5), { prices: defaultPrices() });
    assert.deepEqual(unknown.result.unpriced, { models: ["gpt-99-ultra"], requests: 1 });
    assert.equal(unknown.result.cost.total, 0);
    assert.equal(unknown.result.models[0]!.cost, undefined);
  });

  it("takes replies from a number or a ratio, but never more than a request allows", async () => {
    const free = openai("free", "/v1/chat/completions", { model: "gpt-4o", messages: [USER] });
    const output = async (output: FilesOptions["output"]) =>
      (await estimate(lines(CHAT, free), { output })).result.models[0]!.output;
    const { tokens } = countRequest(free.body);
    const all = tokens + countRequest(CHAT.body).tokens;
    assert.equal(await output({ rule: "max" }), 100);
    assert.equal(await output({ rule: "tokens", tokens: 70 }), 140);
    assert.equal(await output({ rule: "tokens", tokens: 200 }), 300);
    assert.equal(await output({ rule: "ratio", ratio: 1 }), all);
    assert.equal(await output({ rule: "ratio", ratio: 100 }), 100 + 100 * tokens);
  });

  it("takes a request that is not in a line of a batch for a bad line", async () => {
    const { result } = await estimate(lines(CHAT, { model: "gpt-4o", messages: [USER] }));
    assert.deepEqual([result.requests, result.bad], [1, 1]);
    assert.match(result.firstBad[0]!.error, /^there is no "body", "params" or "request"/);
  });

  it("counts for the model that is given, and in few groups if there are many models", async () => {
    const named = await estimate(lines(CHAT, MISTRAL), { model: "gpt-4" });
    assert.equal(named.result.tokens, naive([CHAT.body, MISTRAL.body], "gpt-4"));
    assert.deepEqual(named.result.models.map(({ model }) => model), ["gpt-4"]);
    const many = Array.from(
      { length: 1500 },
      (_, i) => ({ custom_id: `${i}`, body: { model: `m-${i}`, input: "Hi", dimensions: 1 } }),
    );
    const { result } = await estimate(lines(...many));
    assert.equal(result.models.length, 1001);
    assert.equal(result.models.reduce((sum, { requests }) => sum + requests, 0), 1500);
  });
});

describe("an estimate of hostile lines", () => {
  it("is of every line, each of which is a request, bad or blank", async () => {
    const hostile = [
      "nonsense",
      '{"custom_id":"torn","body":{"model":"gpt-4o","mess',
      "[]",
      "null",
      '"text"',
      "{}",
      '{"body":null}',
      '{"body":[]}',
      '{"custom_id":"x","body":{}}',
      '{"custom_id":"y","body":{"model":{},"messages":[{"role":"user","content":{"a":[1]}}]}}',
      '{"custom_id":"z","body":{"model":"gpt-4o","messages":"no","max_tokens":-5,"n":1e308}}',
      '{"custom_id":"p","__proto__":{"body":{}},"body":{"model":"__proto__","input":[]}}',
      '{"custom_id":"s","body":{"model":"gpt-4o","messages":[{"role":"user","content":"\\ud800"}]}}',
      '{"error":"x","value":1}',
      "   ",
      "\r",
      '{"custom_id":"deep","body":' + '{"a":'.repeat(3000) + "1" + "}".repeat(3001),
    ];
    const bytes = Buffer.concat([
      Buffer.from(lines(CHAT, ...hostile)),
      Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), // not UTF-8
      Buffer.from(JSON.stringify(ANTHROPIC[0])), // without a line feed
    ]);
    const { result, lines: each, failures } = await estimate(bytes);
    assert.deepEqual(failures, []);
    assert.equal(result.lines, hostile.length + 3);
    assert.equal(result.bytes, bytes.length);
    assert.equal(result.requests + result.bad + result.blank, result.lines);
    assert.deepEqual([result.bad, result.blank], [10, 2]);
    assert.equal(each.length, result.lines - result.blank);
    assert.equal((each.at(-1) as { line: number }).line, result.lines);
    const bad = result.firstBad.map(({ error }) => error);
    assert.deepEqual(bad.slice(0, 5), [
      "not valid JSON",
      "not valid JSON",
      "not a JSON object but an array",
      "not a JSON object but null",
      "not a JSON object but a string",
    ]);
    assert.equal(bad.at(-1), "not valid UTF-8");
  });

  it("has the right numbers of lines in a file of many pieces", async () => {
    const one = JSON.stringify({ ...EMBEDDINGS[0], padding: "x".repeat(2000) });
    const content = [...Array(4000).fill(one), "nonsense", "", one].join("\n");
    assert.ok(content.length > 2 << 22, "more than two pieces");
    const { result, lines: each } = await estimate(content);
    assert.deepEqual([result.lines, result.requests, result.bad, result.blank], [4003, 4001, 1, 1]);
    assert.equal(result.bytes, new TextEncoder().encode(content).length);
    assert.equal(result.firstBad[0]!.line, 4001);
    assert.deepEqual(each.map((line) => (line as { line: number }).line).slice(-3), [
      4000,
      4001,
      4003,
    ]);
    assert.equal(result.ids!.duplicates, 4000);
  });

  it("takes for blank what JSON does, and decides by the first file that has a line", async () => {
    const { result } = await estimate(lines(CHAT, " \t\r", "\u00A0"));
    assert.deepEqual([result.requests, result.blank, result.bad], [1, 1, 1]);
    using files = new Files({ "a.jsonl": "", "b.jsonl": lines({ text: "Hello, world!" }) });
    using tokenizer = new Tokenizer("o200k_base");
    const both = await estimateFiles([files.path("a.jsonl"), files.path("b.jsonl")], {
      kind: "auto",
      encoding: "o200k_base",
      prices: PRICES,
      output: { rule: "max" },
      limits: "auto",
      tokenizer,
      field: "text",
      onFailure: (error) => assert.fail(error),
    });
    assert.deepEqual([both.kind, both.requests, both.bad, both.tokens], ["text", 1, 0, 4]);
    assert.deepEqual(both.files.map(({ lines }) => lines), [0, 1]);
  });

  it("compares each file with the limits of a file", async () => {
    const limits = [{
      name: "mine",
      limits: [{ unit: "requests", limit: 2 }, { unit: "models", limit: 1 }],
    }] as const;
    const { result: { limits: [fits] } } = await estimate(lines(CHAT, RESPONSE), {
      limits,
      times: 3,
    });
    assert.deepEqual([fits!.fits, fits!.files], [true, 3]);
    assert.deepEqual(fits!.limits.map(({ used, files }) => [used, files]), [[2, 3], [
      1,
      undefined,
    ]]);
    const { result: { limits: [over] } } = await estimate(lines(CHAT, RESPONSE, COMPLETION), {
      limits,
      times: 2,
    });
    assert.deepEqual([over!.fits, over!.files], [false, 4]);
    assert.deepEqual(over!.limits.map(({ used }) => used), [3, 2]);
  });

  it("is of an empty file, and of a file with a byte order mark and CRLF", async () => {
    const { result } = await estimate("");
    assert.deepEqual([result.lines, result.tokens, result.distribution.max], [0, 0, 0]);
    const marked = "\uFEFF" + lines(CHAT, RESPONSE).replaceAll("\n", "\r\n");
    const { result: windows } = await estimate(marked);
    assert.deepEqual([windows.requests, windows.bad], [2, 0]);
    assert.equal(windows.tokens, naive([CHAT.body, RESPONSE.body]));
  });
});

describe("an estimate of chats to train with", () => {
  it("has the checks, the tokens of the assistant, and the epochs", async () => {
    const assistant = { role: "assistant", content: "About 100,000 km with all fjords." };
    const good = { messages: [SYSTEM, USER, assistant] };
    const { result } = await estimate(
      lines(good, good, { messages: [USER] }, { messages: [] }, { text: "no chat" }),
      { model: "gpt-4o", context: 30 },
    );
    assert.equal(result.kind, "chat");
    const count = countRequest(good, { model: "gpt-4o" });
    const { training } = result;
    assert.equal(result.requests, 4);
    assert.equal(result.bad, 1);
    assert.deepEqual(training!.errors, {
      example_missing_assistant_message: 1,
      missing_messages_list: 2,
    });
    assert.deepEqual([training!.withoutSystem, training!.withoutUser], [2, 1]);
    assert.equal(training!.assistantTokens.sum, 2 * count.messages[2]!.content);
    assert.equal(training!.epochs, 25);
    const short = naive([{ messages: [USER] }, { messages: [] }], "gpt-4o");
    assert.ok(count.tokens > 30);
    assert.equal(training!.billedTokens, 30 + 30 + short);
    assert.equal(training!.cost, 25 * training!.billedTokens * 25 / 1e6);
    assert.equal(result.ids, undefined);
  });

  it("counts a chat itself, whatever other fields it has", async () => {
    const chat = { messages: [USER, { role: "assistant", content: "Hi" }], body: { input: "x" } };
    const { result } = await estimate(lines(chat), { kind: "chat", model: "gpt-4o" });
    assert.equal(result.tokens, naive([chat], "gpt-4o"));
  });
});

describe("an estimate of texts", () => {
  it("is of the texts of lines", async () => {
    using tokenizer = Tokenizer.forModel("text-embedding-3-small");
    const texts = ["Hello, world!", "", "naïve 你好"];
    const input = lines(...texts.map((text) => ({ text })), { text: 7 }, {}, "", "x");
    const { result, lines: each } = await estimate(input, {
      model: "text-embedding-3-small",
      tokenizer,
    });
    const tokens = texts.reduce((sum, text) => sum + tokenizer.count(text), 0);
    assert.deepEqual([result.kind, result.tokens, result.requests], ["text", tokens, 3]);
    assert.deepEqual([result.bad, result.blank, result.lines], [3, 1, 7]);
    assert.equal(result.bytes, new TextEncoder().encode(input).length);
    assert.ok(Math.abs(result.cost.total - 0.02 * tokens / 1e6) < 1e-15);
    assert.deepEqual(each[3], { line: 4, error: "not-string" });
    const field = await estimate(lines({ a: { b: "Hello, world!" } }), { field: "a.b" });
    assert.equal(field.result.tokens, 4);
  });

  it("is of whole files, exactly, wherever they are cut for reading", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const text = "\uFEFF" + "naïve 你好 😀 word\n".repeat(300_000); // more than one piece
    const { result } = await estimate(text, { name: "book.md" });
    assert.deepEqual([result.kind, result.requests, result.lines], ["text", 1, 1]);
    assert.equal(result.tokens, tokenizer.count(text));
    assert.equal(result.bytes, new TextEncoder().encode(text).length);
    const bad = await estimate(Uint8Array.of(0x61, 0xc3), { name: "book.txt" });
    assert.deepEqual(bad.failures, ["book.txt: not valid UTF-8"]);
    assert.equal(bad.result.requests, 0);
  });
});

describe("an estimate of compressed files", () => {
  it("is that of what they decompress to", async () => {
    const content = lines(CHAT, RESPONSE, "nonsense", ...EMBEDDINGS);
    const { result: plain } = await estimate(content);
    for (const [suffix, compress] of [["gz", gzipSync], ["zst", zstdCompressSync]] as const) {
      const { result } = await estimate(compress(content), { name: `file.jsonl.${suffix}` });
      assert.deepEqual(
        { ...result, files: [], firstBad: [] },
        { ...plain, files: [], firstBad: [] },
      );
    }
    const { result } = await estimate(gzipSync("one two"), { name: "a.txt.gz" });
    assert.deepEqual([result.kind, result.tokens], ["text", 2]);
  });

  it("fails for one that is torn, by its name", async () => {
    const torn = gzipSync(lines(CHAT, RESPONSE)).subarray(0, 60);
    const { failures } = await estimate(torn, { name: "file.jsonl.gz" });
    assert.equal(failures.length, 1);
    assert.match(failures[0]!, /^file\.jsonl\.gz: /);
  });

  it("names files whose kind is not known", async () => {
    const names = ["a.parquet", "a.csv", "a.bz2"];
    for (const name of names) {
      const { failures } = await estimate("x", { name });
      assert.match(failures[0]!, new RegExp(`^${name}: `));
    }
    const { result } = await estimate(lines(CHAT), { name: "a.csv", kind: "batch" });
    assert.equal(result.requests, 1);
  });
});
