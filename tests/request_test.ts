import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type ChatMessage,
  type ChatRequestFields,
  countMessages,
  countRequest,
  type CountRequestOptions,
  SluiceError,
  Tokenizer,
} from "../mod.ts";
import { FIXTURES, spy, unseen } from "./support/requests.ts";

const options = (model: string | undefined): CountRequestOptions =>
  model === undefined ? {} : { model };

/** The expected cost of each body of `tests/fixtures/requests`, the reasons of estimates, and the reports. */
const EXPECTED: Record<string, [tokens: number, estimated: string, uncounted: string]> = {
  "openai_chat.json": [
    287,
    "tools calls fields extras",
    "tools[2] messages[1].content[2] messages[1].content[3]",
  ],
  "openai_responses.json": [
    509,
    "frame tools calls extras",
    "input[2].encrypted_content input[9] tools[2] tools[3] input[1].content[1] input[1].content[3]",
  ],
  "openai_embeddings.json": [14, "", ""],
  "openai_completions.json": [5, "", ""],
  "anthropic_messages.json": [
    513,
    "vocabulary frame tools calls extras",
    "messages[2].content[1] tools[1] messages[1].content[2] messages[1].content[4].source",
  ],
  "gemini.json": [
    375,
    "vocabulary frame tools calls extras",
    "tools[1].googleSearch cachedContent contents[0].parts[2] contents[0].parts[3]",
  ],
  "ai_sdk_ui.json": [
    384,
    "frame calls extras",
    "messages[0].metadata messages[1].parts[5] messages[1].parts[6] messages[0].parts[2]",
  ],
  "ai_sdk_model.json": [99, "frame tools calls fields extras", "messages[1].content[2]"],
};

describe("countRequest on a body of each API", () => {
  it("has an expectation for each", () => {
    assert.deepEqual(FIXTURES.map(({ file }) => file).sort(), Object.keys(EXPECTED).sort());
  });

  for (const { file, format, silent, model, body } of FIXTURES) {
    it(`${file}: knows each field and sees each text`, () => {
      const count = countRequest(body, options(model));
      assert.equal(count.format, format);
      assert.deepEqual(count.extras.filter(({ type }) => type === "unknown"), []);
      assert.deepEqual(unseen(body, silent, spy(body, model)), []);
      const [tokens, estimated, uncounted] = EXPECTED[file]!;
      assert.deepEqual(
        [count.tokens, count.estimated.join(" "), count.uncounted.map((it) => it.path).join(" ")],
        [tokens, estimated, uncounted],
      );
      assert.equal(count.exact, estimated === "" && uncounted === "");
    });

    it(`${file}: is the sum of its parts, from an object, its text and its bytes`, () => {
      const count = countRequest(body, options(model));
      const parts = [count.messages, count.tools, count.extras].flat();
      assert.equal(count.tokens, parts.reduce((sum, { tokens }) => sum + tokens, count.overhead));
      const text = JSON.stringify(body);
      assert.deepEqual(countRequest(text, options(model)), count);
      assert.deepEqual(countRequest(new TextEncoder().encode(text), options(model)), count);
      assert.deepEqual(countRequest(body, { ...options(model), format, cache: true }), count);
    });
  }
});

describe("countRequest and countMessages", () => {
  const folder = new URL("./fixtures/chat_totals/", import.meta.url);
  interface Charged {
    readonly model: string;
    readonly request: Omit<ChatRequestFields, "model"> & { messages: ChatMessage[] };
  }

  it("agree on every request whose price is known", () => {
    let compared = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
      const all: Charged[] = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
      for (const { model, request } of all) {
        const { tokens, messages, tools, overhead, exact } = countMessages(request.messages, {
          model,
          ...request,
        });
        const count = countRequest({ model, ...request });
        assert.equal(count.format, "openai-chat");
        assert.deepEqual(
          [count.tokens, count.messages, count.tools, count.overhead, count.exact],
          [tokens, messages, tools, overhead, exact],
        );
        compared++;
      }
    }
    assert.ok(compared > 200);
  });
});

describe("countRequest", () => {
  const TEXT = "word ".repeat(1_000);
  const tokens = (body: unknown, options: CountRequestOptions = {}) =>
    countRequest(body, options).tokens;

  it("counts the reason of a denied call, which the model reads", () => {
    const denied = (reason: string) => {
      const approval = { id: "a", approved: false, reason };
      const part = { type: "tool-f", toolCallId: "c", state: "output-denied", input: {}, approval };
      return [{ id: "m", role: "assistant", parts: [part] }];
    };
    assert.ok(tokens(denied("not on Sundays")) >= tokens(denied("")) + 3);
  });

  it("counts texts that were dropped once", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const least = tokenizer.count(TEXT);
    const user = [{ role: "user", content: "Hi" }];
    const bodies: Record<string, unknown> = {
      uiMessages: [{ id: "1", role: "user", parts: [{ type: "text", text: TEXT }] }],
      contents: { contents: [{ parts: [{ text: TEXT }] }] },
      systemInstruction: { contents: "Hi", systemInstruction: TEXT },
      snakeCase: { contents: "Hi", system_instruction: { parts: { text: TEXT } } },
      system: { model: "claude-opus-4-1", messages: user, system: TEXT },
      instructions: { model: "gpt-5", input: "Hi", instructions: TEXT },
      reasoning: { messages: [{ role: "assistant", content: "", reasoning_content: TEXT }] },
      flatTools: { input: "Hi", tools: [{ type: "function", name: "f", description: TEXT }] },
      anthropicTools: {
        messages: user,
        tools: [{ name: "f", description: TEXT, input_schema: {} }],
      },
      inputItems: { input: [{ type: "function_call_output", call_id: "c", output: TEXT }] },
      objectArguments: {
        messages: [
          { role: "assistant", tool_calls: [{ function: { name: "f", arguments: { a: TEXT } } }] },
        ],
      },
      inputTwice: [
        {
          role: "assistant",
          content: [{ type: "tool-call", toolName: "f", input: "short", args: TEXT }],
        },
      ],
      schemaTwice: {
        contents: "Hi",
        tools: [
          {
            functionDeclarations: [
              { name: "f", parameters: {}, parametersJsonSchema: { description: TEXT } },
            ],
          },
        ],
      },
      unknownPart: { messages: [{ role: "user", content: [{ type: "poem", verses: [TEXT] }] }] },
      unknownField: { model: "gpt-4o", messages: user, guidance: { notes: [{ note: TEXT }] } },
      unknownShape: { anything: [[TEXT]] },
      longIdentifier: { messages: [{ role: "tool", tool_call_id: TEXT, content: "" }] },
      key: { messages: user, extra: { [TEXT]: 1 } },
    };
    for (const [name, body] of Object.entries(bodies)) {
      const count = countRequest(body);
      assert.ok(count.tokens >= least, `${name}: ${count.tokens}`);
      assert.equal(count.exact, false, name);
    }
  });

  it("reports an unknown field as counted as text", () => {
    const messages = [{ role: "user", content: "Hi" }];
    const plain = countRequest({ model: "gpt-4o", messages });
    const count = countRequest({ model: "gpt-4o", messages, hint: "three more words" });
    assert.deepEqual(plain.estimate, "exact");
    assert.deepEqual(count.extras.map(({ path, type }) => [path, type]), [["hint", "unknown"]]);
    assert.deepEqual([count.estimate, count.estimated], ["frame", ["fields"]]);
    assert.equal(count.tokens, plain.tokens + count.extras[0]!.tokens);
  });

  it("accepts any JSON", () => {
    for (const body of [null, 5, true, [], {}, "", "no JSON {", "[", [[]], { messages: 5 }]) {
      const { tokens, estimate } = countRequest(body);
      assert.ok(tokens >= 0 && estimate !== "exact", JSON.stringify(body));
    }
    const messages = [null, 5, "text", [], { role: 5, content: 5 }, { content: [null, 5, "x"] }];
    for (const key of ["messages", "contents", "input", "prompt", "system", "tools", "parts"]) {
      assert.ok(tokens({ [key]: messages }) > 0, key);
    }
  });

  it("survives depth and cycles", () => {
    const deep = (open: string, close: string) =>
      JSON.parse(open.repeat(5_000) + '"end"' + close.repeat(5_000));
    const blocks = deep('[{"type":"tool_result","content":', "}]");
    assert.ok(tokens({ system: "x", messages: [{ role: "user", content: blocks }] }) > 5_000);
    assert.ok(tokens({ contents: deep('{"parts":[', "]}") }) > 1_000);
    assert.ok(tokens(`{"a":${"[".repeat(100_000)}`) > 10_000);
    const circle: Record<string, unknown> = { role: "user", content: "once" };
    circle["content"] = [{ type: "tool_result", content: [circle, circle] }];
    assert.ok(tokens({ system: "x", messages: [circle], more: circle }) > 0);
    const input: Record<string, unknown> = {};
    Object.assign(input, { a: input, b: input });
    assert.ok(tokens([{ role: "assistant", content: [{ type: "tool-call", input }] }]) > 0);
  });

  it("takes the model and the format from options", () => {
    const body = { contents: "Hello" };
    assert.equal(countRequest(body, { model: "gpt-4" }).encoding, "cl100k_base");
    assert.equal(countRequest(body, { unknownModel: "r50k_base" }).encoding, "r50k_base");
    const chat = { model: "claude-opus-4-1", max_tokens: 5, messages: [] };
    assert.equal(countRequest(chat).format, "anthropic-messages");
    assert.equal(countRequest(chat, { format: "openai-chat" }).format, "openai-chat");
  });

  it("refuses wrong options", () => {
    const wrong = (options: unknown) => () => countRequest({}, options as CountRequestOptions);
    assert.throws(wrong({ format: "chat" }), {
      name: "RangeError",
      message: /^format must be .*"chat"$/,
    });
    assert.throws(wrong({ format: 1 }), { name: "TypeError" });
    assert.throws(wrong({ model: 1 }), {
      name: "TypeError",
      message: "model must be a string, not 1",
    });
    assert.throws(wrong({ unknownModel: "newest" }), { name: "RangeError" });
    assert.throws(
      wrong({ unknownModel: "refuse" }),
      (error) => error instanceof SluiceError && error.code === "SLUICE_UNKNOWN_MODEL",
    );
    for (const body of [undefined, () => 1, Symbol("s"), 5n]) {
      assert.throws(() => countRequest(body), { name: "TypeError", message: /^body must be / });
    }
  });

  it("counts v4 messages of the AI SDK, which repeat their contents, once", () => {
    const parts = [{ type: "text", text: "Hello " }, { type: "text", text: "there" }];
    const message = { role: "user", content: "Hello there", parts };
    assert.equal(tokens([message]), tokens([{ role: "user", parts }]));
    assert.ok(tokens([{ ...message, content: "Something else" }]) > tokens([message]));
  });

  it("leaves out payloads of unknown fields, and reports them", () => {
    const base64 = btoa(
      String.fromCharCode(...Array.from({ length: 30_000 }, (_, i) => i * i % 251)),
    );
    const body = { model: "gpt-4o", messages: [], blob: { bytes: base64, note: "a note" } };
    const count = countRequest(body);
    assert.ok(count.tokens < 50);
    assert.deepEqual(count.uncounted, [{ path: "blob.bytes", type: "base64" }]);
  });
});

describe("recognising a request", () => {
  const user = { role: "user", content: "Hi" };
  const cases: [format: string, body: unknown][] = [
    ["openai-chat", { model: "gpt-4o", messages: [user] }],
    ["openai-chat", { model: "anthropic/claude-opus-4", messages: [user], stream_options: {} }],
    ["openai-chat", [user]],
    ["anthropic-messages", { messages: [user], system: "x" }],
    ["anthropic-messages", { anthropic_version: "bedrock-2023-05-31", messages: [user] }],
    ["anthropic-messages", { messages: [user], tools: [{ name: "f", input_schema: {} }] }],
    ["anthropic-messages", { model: "claude-opus-4-1", max_tokens: 9, messages: [user] }],
    ["openai-responses", { model: "gpt-5", input: "Hi" }],
    ["openai-responses", { model: "gpt-5", input: [user] }],
    ["openai-responses", { prompt: { id: "pmpt_1" } }],
    ["openai-embeddings", { model: "text-embedding-3-small", input: "Hi" }],
    ["openai-embeddings", { model: "gpt-x", input: ["Hi"] }],
    ["openai-embeddings", { model: "deployment", input: "Hi", encoding_format: "base64" }],
    ["openai-completions", { prompt: "Hi" }],
    ["openai-completions", { prompt: [[1, 2]] }],
    ["gemini", { contents: "Hi" }],
    ["gemini", [{ role: "user", parts: [{ text: "Hi" }] }]],
    ["ai-sdk", { id: "c", messages: [{ id: "m", role: "user", parts: [] }] }],
    ["ai-sdk", { prompt: [user], model: "x" }],
    ["ai-sdk", { message: { role: "user", parts: [] } }],
    ["ai-sdk", [{ role: "tool", content: [{ type: "tool-result", toolName: "f" }] }]],
    ["unknown", { question: "Hi" }],
    ["unknown", ["Hi"]],
  ];
  for (const [format, body] of cases) {
    it(`${format}: ${JSON.stringify(body)}`, () => {
      assert.equal(countRequest(body).format, format);
    });
  }
});
