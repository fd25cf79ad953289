import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { resolveModel, SluiceError, Tokenizer } from "../mod.ts";
import { knownModels } from "../src/tokenizer/models.ts";

/** The table that npm's tiktoken carries, as an oracle. */
const published = createRequire(import.meta.url)("tiktoken/model_to_encoding.json") as Record<
  string,
  string
>;

describe("resolveModel", () => {
  test("agrees with tiktoken on every model that tiktoken lists", () => {
    assert.ok(Object.keys(published).length > 80);
    for (const [model, encoding] of Object.entries(published)) {
      const expected = encoding === "gpt2" ? "r50k_base" : encoding;
      assert.deepEqual(resolveModel(model), { model, encoding: expected, exact: true });
    }
  });

  const cases: [name: string, model: string, encoding: string, exact: boolean][] = [
    ["gpt-5", "gpt-5", "o200k_base", true],
    ["gpt-5.2-codex", "gpt-5.2-codex", "o200k_base", true],
    ["gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14", "o200k_base", true],
    ["gpt-4-0613", "gpt-4-0613", "cl100k_base", true],
    ["chatgpt-4o-latest", "chatgpt-4o-latest", "o200k_base", true],
    ["o4-mini-2025-04-16", "o4-mini-2025-04-16", "o200k_base", true],
    ["gpt-35-turbo-16k", "gpt-35-turbo-16k", "cl100k_base", true],
    ["gpt-oss:20b", "gpt-oss:20b", "o200k_harmony", true],
    ["gpt2", "gpt2", "r50k_base", true],
    ["ft:gpt-4o:org::id", "ft:gpt-4o:org::id", "o200k_base", true],
    ["ft:gpt-3.5-turbo-0125:org/a:b:id", "ft:gpt-3.5-turbo-0125:org/a:b:id", "cl100k_base", true],
    // tiktoken's prefix "ft:gpt-4" would make this cl100k_base.
    ["ft:gpt-4.1:org::id", "ft:gpt-4.1:org::id", "o200k_base", true],
    ["openai/gpt-5-mini", "gpt-5-mini", "o200k_base", true],
    ["openrouter/openai/gpt-4o:online", "gpt-4o:online", "o200k_base", true],
    ["azure/ft:gpt-4o:org::id", "ft:gpt-4o:org::id", "o200k_base", true],
    ["openai.gpt-oss-120b-1:0", "gpt-oss-120b-1:0", "o200k_harmony", true],
    ["GPT-4o", "gpt-4o", "o200k_base", true],
    ["claude-sonnet-4-5", "claude-sonnet-4-5", "o200k_base", false],
    ["anthropic/claude-opus-4.1", "claude-opus-4.1", "o200k_base", false],
    [
      "us.anthropic.claude-3-haiku-20240307-v1:0",
      "claude-3-haiku-20240307-v1:0",
      "o200k_base",
      false,
    ],
    ["google/gemini-2.5-pro", "gemini-2.5-pro", "o200k_base", false],
    ["meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b-instruct", "o200k_base", false],
    ["mistralai/next", "next", "o200k_base", false],
    ["deepseek.r1-v1:0", "r1-v1:0", "o200k_base", false],
    ["xai/grok-4", "grok-4", "o200k_base", false],
    ["gpt-realtime-mini", "gpt-realtime-mini", "o200k_base", false],
    ["eleutherai/gpt-4-like", "gpt-4-like", "cl100k_base", false],
  ];
  for (const [name, model, encoding, exact] of cases) {
    test(`knows ${name}`, () => {
      assert.deepEqual(resolveModel(name), { model, encoding, exact });
    });
  }

  test("suggests the nearest name", () => {
    for (
      const [name, nearest] of [
        ["gtp-5", "gpt-5"],
        ["openai/gpt4o", "gpt-4o"],
        ["claud", "claude"],
        ["text-embedding-3-larg", "text-embedding-3-large"],
        ["davinci-003", "davinci-002"],
      ] as const
    ) {
      assert.throws(() => resolveModel(name), unknown(`Did you mean ${JSON.stringify(nearest)}?`));
    }
  });

  test("does not guess where nothing is near", () => {
    for (const name of ["", "foo", "x".repeat(10_000), "google/", "/", ":", "ft:", "."]) {
      assert.throws(() => resolveModel(name), (error: Error) => {
        assert.ok(error.message.length < 300, error.message);
        return unknown("If you know its encoding, name that instead: r50k_base")(error) &&
          !error.message.includes("Did you mean");
      });
    }
  });

  test("does not take what every object has for a model", () => {
    for (const name of ["constructor", "__proto__", "toString", "openai/hasOwnProperty"]) {
      assert.throws(() => resolveModel(name), unknown(`Unknown model "${name}"`));
    }
  });

  test("tells an encoding from a model", () => {
    assert.throws(
      () => resolveModel("o200k_base"),
      unknown('"o200k_base" is an encoding, not a model'),
    );
  });

  test("refuses what is not a string", () => {
    for (
      const [value, shown] of [[null, "null"], [5, "5"], [{}, "an instance of Object"]] as const
    ) {
      assert.throws(() => resolveModel(value as unknown as string), {
        name: "TypeError",
        message: `model must be a string, not ${shown}`,
      });
    }
  });
});

test("every line of the table resolves to itself", () => {
  const models = knownModels();
  for (const { name, encoding, exact } of models) {
    const model = name.replace("*", "next");
    assert.deepEqual(resolveModel(model), { model, encoding, exact });
  }
  assert.equal(new Set(models.map(({ name }) => name)).size, models.length);
});

test("a tokenizer for a model says whether it is exact", () => {
  using exact = Tokenizer.forModel("openai/gpt-4");
  assert.deepEqual([exact.encoding, exact.exact], ["cl100k_base", true]);
  using estimate = Tokenizer.forModel("anthropic/claude-sonnet-4-5");
  assert.deepEqual([estimate.encoding, estimate.exact], ["o200k_base", false]);
});

function unknown(part: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, "SLUICE_UNKNOWN_MODEL");
    assert.ok(error.message.includes(part), error.message);
    return true;
  };
}
