import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { countMessages, registerModels, resolveModel, SluiceError, Tokenizer } from "../mod.ts";
import { knownModels } from "../src/tokenizer/model_table.ts";

/** The table that npm's tiktoken carries, as an oracle. */
const published = createRequire(import.meta.url)("tiktoken/model_to_encoding.json") as Record<
  string,
  string
>;

const refused = (name: string) => resolveModel(name, { unknownModel: "refuse" });

describe("resolveModel", () => {
  test("agrees with tiktoken on every model that tiktoken lists", () => {
    assert.ok(Object.keys(published).length > 80);
    for (const [model, encoding] of Object.entries(published)) {
      const expected = encoding === "gpt2" ? "r50k_base" : encoding;
      assert.deepEqual(resolveModel(model), {
        model,
        encoding: expected,
        exact: true,
        known: true,
      });
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
    [" gpt-4o\n", "gpt-4o", "o200k_base", true],
    ["openai:gpt-4o", "gpt-4o", "o200k_base", true],
    ["openrouter:openai/gpt-4o", "gpt-4o", "o200k_base", true],
    ["ollama:llama3:8b", "llama3:8b", "o200k_base", false],
    ["qwen:gpt-4", "qwen:gpt-4", "o200k_base", false],
    ["text-embedding-ada-002-v2", "text-embedding-ada-002-v2", "cl100k_base", true],
    [
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-v1:0",
      "claude-sonnet-4-v1:0",
      "o200k_base",
      false,
    ],
    [
      "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1",
      "claude-v2:1",
      "o200k_base",
      false,
    ],
    [
      "projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514",
      "claude-sonnet-4@20250514",
      "o200k_base",
      false,
    ],
    // Not in the table when it was written.
    ["gpt-5.9", "gpt-5.9", "o200k_base", false],
    ["gpt-5.9-mini-2027-01-01", "gpt-5.9-mini-2027-01-01", "o200k_base", false],
    ["eleutherai/gpt-4-like", "gpt-4-like", "cl100k_base", false],
  ];
  for (const [name, model, encoding, exact] of cases) {
    test(`knows ${name}`, () => {
      assert.deepEqual(resolveModel(name), { model, encoding, exact, known: true });
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
      assert.throws(() => refused(name), unknown(`Did you mean ${JSON.stringify(nearest)}?`));
    }
  });

  test("does not guess where nothing is near", () => {
    for (const name of ["", "foo", "x".repeat(10_000), "google/", "/", ":", "ft:", "."]) {
      assert.throws(() => refused(name), (error: Error) => {
        assert.ok(error.message.length < 300, error.message);
        return unknown("If you know its encoding, name that instead: r50k_base")(error) &&
          !error.message.includes("Did you mean");
      });
    }
  });

  test("does not take what every object has for a model", () => {
    for (const name of ["constructor", "__proto__", "toString", "openai/hasOwnProperty"]) {
      assert.throws(() => refused(name), unknown(`Unknown model "${name}"`));
    }
  });

  test("tells an encoding from a model", () => {
    assert.throws(
      () => refused("o200k_base"),
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
    assert.deepEqual(resolveModel(model), { model, encoding, exact, known: true });
  }
  assert.equal(new Set(models.map(({ name }) => name)).size, models.length);
});

describe("an unknown model", () => {
  const names = ["gpt-6", "o5", "auto", "my-deployment", "", " ", "openrouter/auto", "arn:aws:x"];

  test("is counted by the newest encoding, as an estimate", () => {
    for (const name of names) {
      const { encoding, exact, known } = resolveModel(name);
      assert.deepEqual([encoding, exact, known], ["o200k_base", false, false], name);
    }
    const { tokens, exact, estimated } = countMessages([{ role: "user", content: "Hi" }], {
      model: "gpt-6",
    });
    assert.deepEqual([tokens, exact, estimated.includes("vocabulary")], [8, false, true]);
  });

  test("is counted by another encoding, or refused, if that is asked for", () => {
    const unknownModel = "cl100k_base";
    assert.equal(resolveModel("gpt-6", { unknownModel }).encoding, unknownModel);
    const messages = [{ role: "user", content: "Hi" }];
    assert.equal(
      countMessages(messages, { model: "gpt-6" }, { unknownModel }).encoding,
      unknownModel,
    );
    for (const name of names) {
      const call = () => countMessages(messages, { model: name }, { unknownModel: "refuse" });
      assert.throws(call, unknown("Unknown model"));
    }
  });

  test("is refused with an option that is none", () => {
    const wrong = (unknownModel: unknown) => () =>
      resolveModel("gpt-4o", { unknownModel } as object);
    assert.throws(wrong("o300k"), {
      name: "RangeError",
      message: /^unknownModel .*, not "o300k"$/,
    });
    assert.throws(wrong(5), { name: "TypeError", message: /^unknownModel must be .*, not 5$/ });
  });

  test("costs no more than its length", () => {
    const start = performance.now();
    for (const name of ["a:".repeat(200_000), "a/".repeat(200_000), "a.".repeat(200_000)]) {
      resolveModel(name);
    }
    assert.ok(performance.now() - start < 2_000);
  });
});

describe("registerModels", () => {
  test("names deployments and encodings", () => {
    registerModels({ " Prod-Small ": "openai/gpt-4.1-mini", "our-tuned": "cl100k_base" });
    const small = { model: "gpt-4.1-mini", encoding: "o200k_base", exact: true, known: true };
    for (const name of ["prod-small", "PROD-SMALL", "azure/prod-small", " prod-small"]) {
      assert.deepEqual(resolveModel(name), small, name);
    }
    assert.deepEqual(resolveModel("our-tuned"), {
      model: "our-tuned",
      encoding: "cl100k_base",
      exact: true,
      known: true,
    });
    registerModels({ "prod-small": "gpt-3.5-turbo" });
    assert.equal(resolveModel("prod-small").encoding, "cl100k_base");
    using tokenizer = Tokenizer.forModel("prod-small");
    assert.equal(tokenizer.encoding, "cl100k_base");
  });

  test("registers all or none", () => {
    const register = (models: unknown) => () => registerModels(models as Record<string, string>);
    const typeError = (message: RegExp) => ({ name: "TypeError", message });
    assert.throws(register({ "ok-name": "gpt-4o", other: "gtp-4o" }), unknown('mean "gpt-4o"?'));
    assert.equal(resolveModel("ok-name").known, false);
    assert.throws(register({ a: 5 }), typeError(/^models\["a"\] must be a string, not 5$/));
    assert.throws(register({ " ": "gpt-4o" }), typeError(/^models must not have an empty name$/));
    assert.throws(register(null), typeError(/^models must be an object, not null$/));
    assert.throws(register(["gpt-4o"]), typeError(/^models must be an object, not an array$/));
    const map = new Map([["mapped", "gpt-4o"]]);
    assert.throws(register(map), typeError(/^models must be an object, not an instance of Map$/));
  });
});

describe("a tokenizer for a model", () => {
  test("says whether it is exact", () => {
    using exact = Tokenizer.forModel("openai/gpt-4");
    assert.deepEqual([exact.encoding, exact.exact], ["cl100k_base", true]);
    for (const model of ["anthropic/claude-sonnet-4-5", "gpt-5.9", "gpt-6"]) {
      using estimate = Tokenizer.forModel(model, { estimate: true });
      assert.deepEqual([estimate.encoding, estimate.exact], ["o200k_base", false]);
    }
  });

  test("gives no ids of a vocabulary that is not public", () => {
    for (const model of ["claude-sonnet-4-5", "gemini-2.5-pro", "gpt-5.9"]) {
      assert.throws(() => Tokenizer.forModel(model), (error) => {
        assert.ok(error instanceof SluiceError);
        assert.equal(error.code, "SLUICE_VOCABULARY_NOT_PUBLIC");
        return error.message.includes("{ estimate: true }");
      });
    }
    assert.throws(() => Tokenizer.forModel("gpt-6"), unknown("Unknown model"));
    const wrong = { estimate: "yes" } as unknown as { estimate: boolean };
    assert.throws(() => Tokenizer.forModel("gpt-4", wrong), {
      name: "TypeError",
      message: 'estimate must be a boolean, not "yes"',
    });
  });

  test("is what an encoding that is a model is to be", () => {
    assert.throws(() => new Tokenizer("gpt-4o" as "o200k_base"), {
      code: "SLUICE_UNKNOWN_ENCODING",
      message: '"gpt-4o" is a model, not an encoding: Tokenizer.forModel("gpt-4o")',
    });
  });
});

function unknown(part: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, "SLUICE_UNKNOWN_MODEL");
    assert.ok(error.message.includes(part), error.message);
    return true;
  };
}
