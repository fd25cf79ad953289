/** The parts of `sluice estimate` and `sluice split`, each beside a plain version of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { defaultPrices } from "../src/corpus/estimate/default_prices.ts";
import { Counts } from "../src/corpus/estimate/distribution.ts";
import { IdSet } from "../src/corpus/estimate/id_set.ts";
import { LineSplitter } from "../src/corpus/estimate/json_lines.ts";
import { costOf, PriceTable } from "../src/corpus/estimate/prices.ts";
import { defaultEpochs, errorsOfChat } from "../src/corpus/estimate/training.ts";
import { readLimits } from "../src/corpus/split/limit_file.ts";
import { KNOWN_LIMITS, type Limit, type LineSize } from "../src/corpus/split/limits.ts";
import { Packer } from "../src/corpus/split/packer.ts";

describe("IdSet", () => {
  it("knows the first line of each identifier, as a Map does", () => {
    // Few and short ones, so that many are the same; U+FFFD in place of lone surrogates is not the point here.
    const id = fc.string({ unit: fc.constantFrom("a", "b", "é", "你", "😀"), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 3000, size: "max" }), (ids) => {
        const set = new IdSet();
        const map = new Map<string, number>();
        for (const [line, id] of ids.entries()) {
          assert.equal(set.add(id, line), map.get(id));
          if (!map.has(id)) map.set(id, line);
          assert.equal(set.size, map.size);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("holds long identifiers and many of them", () => {
    const set = new IdSet();
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(`request-${i}`, i), undefined);
    assert.equal(set.add("x".repeat(100_000), 1), undefined);
    assert.equal(set.add("x".repeat(100_000), 2), 1);
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(`request-${i}`, 7), i);
  });

  it("takes a prefix of an identifier for another one", () => {
    const set = new IdSet();
    const id = "a".repeat(2000);
    for (let i = 0; i < 2000; i++) assert.equal(set.add(id.slice(0, i), i), undefined);
    for (let i = 0; i < 2000; i++) assert.equal(set.add(id.slice(0, i), 0), i);
  });
});

describe("Counts", () => {
  it("has the percentiles of the sorted counts, and each count in one bin", () => {
    const count = fc.oneof(fc.nat(20), fc.nat(2 ** 31), fc.constant(2 ** 32 - 1));
    fc.assert(
      fc.property(fc.array(count, { maxLength: 300 }), (values) => {
        const counts = new Counts();
        for (const value of values) counts.add(value);
        const summary = counts.summary();
        const sorted = [...values].sort((a, b) => a - b);
        assert.equal(summary.count, values.length);
        assert.equal(summary.sum, values.reduce((sum, value) => sum + value, 0));
        for (const [name, part] of [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const) {
          // The least count that at least this part of all counts does not exceed.
          const naive = sorted.find((value) =>
            sorted.filter((other) => other <= value).length >= part * sorted.length
          );
          assert.equal(summary[name], naive ?? 0);
        }
        assert.deepEqual([summary.min, summary.max], [sorted[0] ?? 0, sorted.at(-1) ?? 0]);
        for (const { from, to, count } of summary.histogram) {
          assert.equal(count, values.filter((value) => from <= value && value <= to).length);
        }
        assert.equal(summary.histogram.reduce((sum, { count }) => sum + count, 0), values.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("LineSplitter", () => {
  it("gives back every byte, and the texts that each line has alone", () => {
    const part = fc.constantFrom("a", "\n", "\r\n", "é", "\u2028", "\uFEFF", "\0", "\xff\xfe");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const bytes = Uint8Array.from(parts.flatMap((part) =>
          // These two bytes are in no UTF-8.
          part === "\xff\xfe" ? [0xff, 0xfe] : [...new TextEncoder().encode(part)]
        ));
        const lines = [...new LineSplitter().lines(bytes)];
        assert.deepEqual(lines.flatMap(({ bytes }) => [...bytes]), [...bytes]);
        assert.deepEqual(lines.map(({ number }) => number), lines.map((_, i) => i + 1));
        for (const [i, { bytes, text }] of lines.entries()) {
          const own = bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
          const decoded = new TextDecoder("utf-8", { ignoreBOM: i > 0 }).decode(own);
          if (own.includes(0xff)) assert.equal(text, undefined);
          else assert.equal(text, decoded);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("Packer", () => {
  it("begins a file only where a limit demands it, and counts the files of it", () => {
    const size = fc.record({
      requests: fc.constantFrom(0, 1),
      bytes: fc.nat(40),
      tokens: fc.nat(40),
      inputs: fc.nat(3),
      inputBytes: fc.nat(40),
    });
    const limits: Limit[] = [
      { unit: "requests", limit: 4 },
      { unit: "bytes", limit: 60 },
      { unit: "tokens", limit: 70 },
      { unit: "inputs", limit: 5, embeddings: true },
      { unit: "models", limit: 1 },
    ];
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
        const packer = new Packer(limits);
        const files: LineSize[][] = [];
        const sums = (lines: LineSize[]) =>
          [
            lines.reduce((sum, line) => sum + line.requests, 0) <= 4,
            lines.reduce((sum, line) => sum + line.bytes, 0) <= 60,
            lines.reduce((sum, line) => sum + line.tokens, 0) <= 70,
            lines.reduce((sum, line) => sum + line.inputs, 0) <= 5,
          ].every(Boolean);
        for (const size of sizes) {
          const { isFirst, exceeded } = packer.add(size);
          assert.equal(exceeded, undefined);
          const last = files.at(-1);
          assert.equal(isFirst, last === undefined || !sums([...last, size]));
          if (isFirst) files.push([size]);
          else last!.push(size);
        }
        assert.ok(files.every(sums));
        assert.equal(packer.files, files.length);
      }),
      { numRuns: 200 },
    );
  });

  it("names the limit that a line exceeds alone", () => {
    const perRequest = { unit: "inputs", of: "request", limit: 2 } as const;
    const packer = new Packer([{ unit: "bytes", limit: 10 }, perRequest]);
    const size = { requests: 1, bytes: 11, tokens: 1, inputs: 0, inputBytes: 0 };
    assert.deepEqual(packer.add(size).exceeded, { unit: "bytes", limit: 10 });
    assert.deepEqual(packer.add({ ...size, bytes: 1, inputs: 3 }).exceeded, perRequest);
    assert.equal(packer.add({ ...size, bytes: 1, inputs: 2 }).exceeded, undefined);
  });

  it("takes limits of embeddings for embeddings only", () => {
    const packer = new Packer([{ unit: "tokens", of: "request", limit: 5, embeddings: true }]);
    const size = { requests: 1, bytes: 1, tokens: 9, inputs: 0, inputBytes: 0 };
    assert.equal(packer.add(size).exceeded, undefined);
    assert.notEqual(packer.add({ ...size, inputs: 1 }).exceeded, undefined);
  });
});

describe("prices", () => {
  const OURS = {
    date: "2026-11-01",
    source: "here",
    models: {
      a: {
        input: 1,
        output: 2,
        tiers: [
          { above: 200, input: 20, output: 30, batch: { input: 5, output: 6 } },
          { above: 100, input: 10, output: 20 },
        ],
      },
      b: { input: 1, output: 2, batch: { input: 0.1, output: 0.2 }, date: "2026-10-01" },
    },
  };

  it("cost by the tier of the prompt, and half or the price of it in a batch", () => {
    const table = PriceTable.read(JSON.stringify(OURS));
    const a = table.find(" A ")!;
    const million = (input: number, output: number) => ({
      input: input / 1e6,
      output: output / 1e6,
    });
    assert.deepEqual(costOf(a, 100, 7, false), million(100, 14));
    assert.deepEqual(costOf(a, 100, 7, true), million(50, 7));
    assert.deepEqual(costOf(a, 101, 7, false), million(1010, 140));
    assert.deepEqual(costOf(a, 101, 7, true), million(505, 70));
    assert.deepEqual(costOf(a, 201, 7, true), million(1005, 42));
    const b = table.find("openai/b")!;
    assert.deepEqual(costOf(b, 10, 0, true), million(1, 0));
    assert.deepEqual([a.date, b.date, a.source], ["2026-11-01", "2026-10-01", "here"]);
    for (const name of ["c", "a-2026-01-01", "azure/a", "openrouter/openai/a", "constructor"]) {
      assert.equal(table.find(name), undefined, name);
    }
  });

  it("are read from LiteLLM's file", () => {
    const table = PriceTable.read(JSON.stringify({
      sample_spec: { input_cost_per_token: 0, output_cost_per_token: 0 },
      "an-image": { input_cost_per_pixel: 1 },
      "gpt-x": {
        input_cost_per_token: 1.5e-7,
        input_cost_per_token_batches: 7.5e-8,
        output_cost_per_token: 6e-7,
        output_cost_per_token_batches: 3e-7,
        input_cost_per_token_above_272k_tokens: 3e-7,
        max_input_tokens: 400000,
        max_output_tokens: 1000,
        max_tokens: "LEGACY",
      },
    }));
    assert.equal(table.find("sample_spec"), undefined);
    assert.equal(table.find("an-image"), undefined);
    assert.deepEqual(table.find("gpt-x"), {
      input: 0.15,
      output: 0.6,
      batch: { input: 0.075, output: 0.3 },
      tiers: [{ above: 272_000, input: 0.3, output: 0.6 }],
      context: 400_000,
      maxOutput: 1000,
    });
  });

  it("name what is wrong with them", () => {
    const model = (row: unknown) => JSON.stringify({ models: { m: row } });
    const cases: [string, RegExp][] = [
      ["[", /^prices must be JSON$/],
      ["[]", /^prices must be an object/],
      ["{}", /^prices must have \{"models":/],
      [model(7), /^prices\.models\["m"\] must be an object, not 7/],
      [
        model({ output: 1 }),
        /^prices\.models\["m"\]\.input must be a number of at least 0, not un/,
      ],
      [
        model({ input: -1 }),
        /^prices\.models\["m"\]\.input must be a number of at least 0, not -1/,
      ],
      [model({ input: 1, outputs: 1 }), /^prices\.models\["m"\] must not have "outputs"/],
      [model({ input: 1, tiers: {} }), /^prices\.models\["m"\]\.tiers must be a list/],
      [
        model({ input: 1, tiers: [{ input: 1 }] }),
        /^prices\.models\["m"\]\.tiers\[0\]\.above must/,
      ],
      [model({ input: 1, batch: 0.5 }), /^prices\.models\["m"\]\.batch must be an object/],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => PriceTable.read(text), { name: "TypeError", message }, text);
    }
  });

  it("that come with sluice have a date and a source, and no model that is not there", () => {
    const table = defaultPrices();
    for (const model of ["gpt-4o-mini", "gpt-5-2025-08-07", "claude-sonnet-4-5"]) {
      const price = table.find(model)!;
      assert.match(price.date!, /^20\d\d-\d\d-\d\d$/);
      assert.match(price.source!, /^https:/);
      assert.ok(price.input > 0 && price.output > price.input && price.context! > 0);
    }
    assert.equal(table.find("gpt-99"), undefined);
  });
});

describe("limits", () => {
  it("that are known have a source and a date", () => {
    const names = KNOWN_LIMITS.map(({ name }) => name);
    assert.deepEqual(names, ["openai-batch", "azure-batch", "anthropic-batch", "mistral-batch"]);
    for (const { limits } of KNOWN_LIMITS) {
      assert.ok(limits.length >= 2);
      for (const { source, date } of limits) {
        assert.match(source!, /^https:/);
        assert.match(date!, /^20\d\d-\d\d-\d\d$/);
      }
    }
  });

  it("are read from a file, which names what is wrong with it", () => {
    const limit = { unit: "tokens", limit: 90_000, source: "tier 1" };
    const set = readLimits(JSON.stringify({ limits: [limit], customId: "^a+$" }), "mine");
    assert.deepEqual([set.name, set.customId?.test("aa")], ["mine", true]);
    assert.deepEqual(set.limits, [{ ...limit, of: "file", embeddings: false }]);
    const cases: [unknown, RegExp][] = [
      [[], /^limits must be an object/],
      [{ limits: [] }, /^limits\.limits must be a list with an element/],
      [{ limit: [] }, /^limits must not have "limit"/],
      [{ limits: [{ unit: "words", limit: 1 }] }, /^limits\.limits\[0\]\.unit must be one of req/],
      [{ limits: [{ unit: "bytes", limit: 0 }] }, /^limits\.limits\[0\]\.limit must be a whole/],
      [{ limits: [{ unit: "bytes", limit: 1, of: "day" }] }, /^limits\.limits\[0\]\.of must be "f/],
      [{ limits: [{ unit: "bytes", max: 1 }] }, /^limits\.limits\[0\] must not have "max"/],
      [{ limits: [limit], customId: "(" }, /^limits\.customId must be a regular expression/],
    ];
    for (const [file, message] of cases) {
      assert.throws(() => readLimits(JSON.stringify(file), "mine"), { message });
    }
  });
});

describe("chats to train with", () => {
  it("have the default epochs of OpenAI's cookbook", () => {
    const epochs = [1, 4, 5, 10, 33, 34, 8333, 8334, 12_500, 25_001].map(defaultEpochs);
    assert.deepEqual(epochs, [25, 25, 20, 10, 3, 3, 3, 2, 2, 1]);
  });

  it("have the errors of OpenAI's cookbook", () => {
    const user = { role: "user", content: "Hi" };
    const assistant = { role: "assistant", content: "Hello", weight: 1 };
    const call = { role: "assistant", tool_calls: [{ id: "1" }] };
    const tool = { role: "tool", tool_call_id: "1", content: "42" };
    const cases: [unknown, string[]][] = [
      [[user, assistant], []],
      [[{ role: "developer", content: "Be kind." }, user, call, tool, assistant], []],
      [[{ role: "user", content: [{ type: "text", text: "Hi" }] }, assistant], []],
      [[], ["missing_messages_list"]],
      ["Hi", ["missing_messages_list"]],
      [undefined, ["missing_messages_list"]],
      [[user], ["example_missing_assistant_message"]],
      [[{ content: "Hi" }, assistant], ["message_missing_key", "unrecognized_role"]],
      [[{ role: "user" }, assistant], ["message_missing_key", "missing_content"]],
      [[{ role: "user", content: "" }, assistant], ["missing_content"]],
      [[{ role: "user", content: null }, assistant], ["missing_content"]],
      [[{ role: "user", content: 7 }, assistant], ["missing_content"]],
      [[{ role: "bot", content: "Hi", id: 1 }, assistant], [
        "message_unrecognized_key",
        "unrecognized_role",
      ]],
      [[null, assistant], ["message_missing_key"]],
    ];
    for (const [messages, errors] of cases) {
      assert.deepEqual(errorsOfChat({ messages }), errors, JSON.stringify(messages));
    }
  });
});
