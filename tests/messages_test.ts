/** Counts of chats: the cost of each part, and requests that are wrong, hostile or of another API. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ChatMessage, countMessages, SluiceError, Tokenizer } from "../mod.ts";
import { ChatRequest } from "../src/tokenizer/chat_request.ts";
import { chatRules } from "../src/tokenizer/chat_rules.ts";
import { resolveModel } from "../src/tokenizer/models.ts";
import { type ToolDefinition, toolText } from "../src/tokenizer/tool_text.ts";

const HELLO: ChatMessage[] = [
  { role: "system", content: "You are a helpful assistant." },
  { role: "user", content: "Hello!" },
];

/** Passes any value of a request to the type checker. */
// deno-lint-ignore no-explicit-any
const wrong = (value: unknown): any => value;

describe("countMessages", () => {
  it("has the cost of each part", () => {
    const count = countMessages(HELLO, { model: "gpt-4o" });
    assert.equal(count.tokens, 19);
    assert.equal(count.exact, true);
    assert.equal(count.encoding, "o200k_base");
    assert.deepEqual(count.messages, [
      { role: "system", tokens: 10, content: 6, name: 0, calls: 0, frame: 4 },
      { role: "user", tokens: 6, content: 2, name: 0, calls: 0, frame: 4 },
    ]);
    assert.deepEqual([count.overhead, count.tools, count.uncounted], [3, [], []]);
  });

  it("is exact for families whose totals were observed, and for no other", () => {
    const observed =
      "gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-4 gpt-4-32k-0613 gpt-4o gpt-4o-mini-2024-07-18 gpt-4.1-nano " +
      "gpt-4.5-preview-2025-02-27 o3 o3-mini o4-mini-2025-04-16 gpt-5 gpt-5-mini gpt-5.4-mini openai/gpt-5 " +
      "ft:gpt-4o-mini-2024-07-18:acme::x";
    for (const model of observed.split(" ")) {
      assert.deepEqual(countMessages(HELLO, { model }).estimated, [], model);
    }
    const others =
      "o1 o1-mini gpt-4-turbo chatgpt-4o-latest gpt-4o-search-preview gpt-4o-audio-preview codex-mini-latest";
    for (const model of others.split(" ")) {
      assert.deepEqual(countMessages(HELLO, { model }).estimated, ["frame"], model);
    }
  });

  it("has one token less for the start of the reply of reasoning models", () => {
    for (const model of ["o1", "o3-mini", "o4-mini", "gpt-5", "openai/gpt-5-mini", "gpt-5.1"]) {
      assert.equal(countMessages(HELLO, { model }).tokens, 18, model);
    }
    for (const model of ["gpt-4.1", "ft:gpt-4o:acme::1", "chatgpt-4o-latest", "gpt-4-turbo"]) {
      assert.equal(countMessages(HELLO, { model }).tokens, 19, model);
    }
  });

  it("counts every text as plain text, also the text of a special token", () => {
    using tokenizer = new Tokenizer("o200k_base");
    const content = "ignore <|endoftext|> and <|im_start|>";
    const count = countMessages([{ role: "user", content }], { model: "gpt-4o" });
    assert.equal(count.messages[0]!.content, tokenizer.count(content, { special: "text" }));
  });

  it("reports what it cannot count and counts the rest", () => {
    const messages: ChatMessage[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "What is in this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "input_audio", input_audio: { data: "", format: "wav" } },
        ],
      },
      { role: "assistant", audio: { id: "audio_1" } },
    ];
    const count = countMessages(messages, {
      model: "gpt-4o",
      tools: [{ type: "web_search" }],
      response_format: { type: "json_schema" },
    });
    assert.deepEqual(count.uncounted, [
      { path: "tools[0]", type: "web_search" },
      { path: "messages[0].content[1]", type: "image_url" },
      { path: "messages[0].content[2]", type: "input_audio" },
      { path: "messages[1].audio", type: "audio" },
      { path: "response_format", type: "json_schema" },
    ]);
    assert.equal(count.exact, false);
    assert.deepEqual(count.estimated, []);
    assert.equal(count.messages[0]!.content, 5);
  });

  it("says why a count is an estimate", () => {
    const call = { id: "1", function: { name: "f", arguments: "{}" } };
    const tools = [{ type: "function", function: { name: "f" } }];
    const messages = [...HELLO, { role: "assistant", tool_calls: [call] }];
    const reasons = (model: string, options = {}, of: ChatMessage[] = HELLO) =>
      countMessages(of, { model, ...options }).estimated;
    assert.deepEqual(reasons("claude-sonnet-4-5"), ["vocabulary"]);
    assert.deepEqual(reasons("gpt-oss-20b"), ["frame"]);
    assert.deepEqual(reasons("gpt-4o", { tools }), ["tools"]);
    assert.deepEqual(reasons("gpt-4o", {}, messages), ["calls"]);
    assert.deepEqual(reasons("llama-3", { tools }, messages), ["vocabulary", "tools", "calls"]);
  });

  it("counts custom tools, refusals, and tools beside functions", () => {
    const count = countMessages([{ role: "assistant", content: null, refusal: "No." }], {
      model: "gpt-4o",
      tools: [{ type: "custom", custom: { name: "sql", description: "Runs SQL" } }],
      functions: [{ name: "now" }],
    });
    assert.deepEqual(count.tools.map(({ name }) => name), ["sql", "now"]);
    assert.ok(count.tools.every(({ tokens }) => tokens > 5));
    assert.equal(count.messages[0]!.content, 2);
  });

  it("counts the same with and without a cache", () => {
    const messages = [{ role: "user", content: "word ".repeat(1_000) }];
    const plain = countMessages(messages, { model: "gpt-4o" });
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(countMessages(messages, { model: "gpt-4o" }, { cache: true }), plain);
    }
  });

  it("takes a chat without messages", () => {
    assert.equal(countMessages([], { model: "gpt-4o" }).tokens, 3);
  });

  it("names the wrong value", () => {
    const cases: [unknown, object, RegExp][] = [
      ["hi", {}, /^messages must be an array, not "hi"$/],
      [[null], {}, /^messages\[0\] must be an object, not null$/],
      [[{ content: "x" }], {}, /^messages\[0\]\.role must be a string, not undefined$/],
      [
        [...HELLO, { role: "user", content: 5 }],
        {},
        /^messages\[2\]\.content must be a string, an array of parts or null, not 5$/,
      ],
      [
        [{ role: "user", content: { constructor: { name: "x".repeat(1_000) } } }],
        {},
        /, not an instance of Object$/,
      ],
      [[{ role: "user", content: [{ type: "text" }] }], {}, /^messages\[0\]\.content\[0\]\.text /],
      [[{ role: "user", content: ["x"] }], {}, /^messages\[0\]\.content\[0\] must be an object/],
      [[{ role: "user", name: 7 }], {}, /^messages\[0\]\.name must be a string, not 7$/],
      [[{ role: "assistant", tool_calls: [{}] }], {}, /^messages\[0\]\.tool_calls\[0\]\.function /],
      [
        [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: {} } }] }],
        {},
        /^messages\[0\]\.tool_calls\[0\]\.function\.arguments must be a string/,
      ],
      [[{ role: "assistant", function_call: "f" }], {}, /^messages\[0\]\.function_call must be an/],
      [[{ role: "tool", tool_call_id: 1 }], {}, /^messages\[0\]\.tool_call_id must be a string/],
      [HELLO, { tools: {} }, /^tools must be an array/],
      [HELLO, { tools: [{ type: "function" }] }, /^tools\[0\]\.function must be an object/],
      [HELLO, { functions: [{ name: 1 }] }, /^functions\[0\]\.name must be a string, not 1$/],
      [HELLO, { function_call: 1 }, /^function_call must be an object, not 1$/],
      [HELLO, { model: 4 }, /^model must be a string, not 4$/],
    ];
    for (const [messages, options, message] of cases) {
      assert.throws(
        () => countMessages(wrong(messages), wrong({ model: "gpt-4o", ...options })),
        (error) => error instanceof TypeError && message.test(error.message),
        String(message),
      );
    }
    assert.throws(() => countMessages(HELLO, wrong(undefined)), TypeError);
    assert.throws(
      () => countMessages(HELLO, { model: "gpt-4o" }, { cache: wrong("yes") }),
      /^TypeError: cache must be a boolean or an object, not "yes"$/,
    );
    assert.throws(
      () => countMessages(HELLO, { model: "gtp-4o" }, { unknownModel: "refuse" }),
      (error) => error instanceof SluiceError && error.code === "SLUICE_UNKNOWN_MODEL",
    );
  });

  it("refuses requests of other APIs, and names countRequest", () => {
    const text = "some text that must not be dropped";
    const part = (type: string) => [{ role: "user", content: [{ type, text }] }];
    const cases: [unknown, object, RegExp][] = [
      [[{ role: "user", parts: [{ type: "text", text }] }], {}, /^messages\[0\]\.parts /],
      [part("input_text"), {}, /^messages\[0\]\.content\[0\]\.type is "input_text"/],
      [part("tool_result"), {}, /anthropic-messages/],
      [part("tool-result"), {}, /ai-sdk/],
      [HELLO, { system: text }, /^request\.system is of anthropic-messages/],
      [HELLO, { instructions: text }, /^request\.instructions is of openai-responses/],
      [HELLO, { systemInstruction: { parts: [{ text }] } }, /^request\.systemInstruction /],
      [HELLO, { tools: [{ name: "f", input_schema: {} }] }, /^tools\[0\]\.name is "f"/],
      [HELLO, { tools: [{ type: "function", name: "f" }] }, /^tools\[0\]\.name is "f"/],
      [
        [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }] }],
        {},
        /^messages\[0\]\.tool_calls\[0\]\.function\.arguments must be a string/,
      ],
    ];
    for (const [messages, options, message] of cases) {
      assert.throws(
        () => countMessages(wrong(messages), wrong({ model: "gpt-4o", ...options })),
        (error) =>
          error instanceof TypeError && message.test(error.message) &&
          error.message.includes("countRequest"),
        String(message),
      );
    }
  });

  it("counts reasoning, and reports unknown fields", () => {
    const plain = countMessages([{ role: "assistant", content: "Yes" }], { model: "gpt-4o" });
    for (const field of ["reasoning_content", "reasoning"]) {
      const message = { role: "assistant", content: "Yes", [field]: "word ".repeat(100) };
      const count = countMessages([message], { model: "gpt-4o" });
      assert.equal(count.tokens, plain.tokens + 101, field);
      assert.deepEqual([count.exact, count.estimated], [false, ["fields"]]);
    }
    const strange = countMessages([wrong({ role: "user", content: "x", note: "hidden" })], {
      model: "gpt-4o",
    });
    assert.deepEqual(strange.uncounted, [{ path: "messages[0].note", type: "unknown" }]);
    assert.equal(strange.exact, false);
    const beside = countMessages(HELLO, wrong({ model: "gpt-4o", hint: "hidden", top_p: 1 }));
    assert.deepEqual(beside.uncounted, [{ path: "hint", type: "unknown" }]);
  });

  it("counts arguments that have a key twice in full", () => {
    const cost = (json: string) => {
      const call = { function: { name: "f", arguments: json } };
      return countMessages([{ role: "assistant", tool_calls: [call] }], { model: "gpt-4o" }).tokens;
    };
    const long = "word ".repeat(200);
    assert.ok(cost(`{"a": "${long}", "a": "\\n"}`) > cost(`{"a": "\\n"}`) + 200);
    assert.equal(cost('{ "a" : "\\u0041 b" }'), cost('{"a":"A b"}'));
  });

  it("reports a schema whose text is not all written", () => {
    const parameters = (a: object) => ({ type: "object", properties: { a }, required: ["a"] });
    const count = (a: object) => {
      const tool = { type: "function", function: { name: "f", parameters: parameters(a) } };
      return countMessages(HELLO, { model: "gpt-4o", tools: [tool] }).uncounted;
    };
    assert.deepEqual(count({ type: "string", description: "A city", format: "uri" }), []);
    assert.deepEqual(count({ type: "string", enum: ["a", "b"], title: "T" }), []);
    assert.deepEqual(count({ type: "string", $comment: "text that is not written" }), [
      { path: "tools[0].function.parameters", type: "schema" },
    ]);
  });

  it("survives schemas that are deep, cyclic or exponential", () => {
    let deep: object = { type: "string" };
    for (let i = 0; i < 5_000; i++) {
      deep = { type: "array", items: { type: "object", properties: { a: deep } } };
    }
    const $defs: Record<string, object> = { Loop: { $ref: "#/$defs/Loop" } };
    for (let i = 0; i < 40; i++) {
      const next = { $ref: `#/$defs/D${i + 1}` };
      $defs[`D${i}`] = { type: "object", properties: { a: next, b: next } };
    }
    const properties = { deep, loop: { $ref: "#/$defs/Loop" }, bomb: { $ref: "#/$defs/D0" } };
    const tool = { type: "function", function: { name: "f", parameters: { properties, $defs } } };
    for (const model of ["gpt-3.5-turbo", "gpt-4o", "gpt-5"]) {
      const { tokens } = countMessages(HELLO, { model, tools: [tool] });
      assert.ok(tokens > 0 && tokens < 20_000, `${model}: ${tokens}`);
    }
  });

  it("takes time linear in the length of a request", () => {
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    const call = { id: "c", type: "function", function: { name: "f", arguments: deep } };
    const calls = Array.from({ length: 20 }, () => ({ role: "assistant", tool_calls: [call] }));
    let types: object = { type: "string" };
    for (let i = 0; i < 20; i++) {
      types = { type: [["object"], ...Array(9).fill("object")], properties: { a: types } };
    }
    const long = { type: "object", properties: { a: { description: "word ".repeat(20_000) } } };
    const properties = {
      types,
      long: { anyOf: Array(1000).fill({ $ref: "#/$defs/Long" }) },
      enums: { enum: [JSON.parse(deep), "short"] },
      number: { type: "number", default: JSON.parse(deep) },
    };
    const parameters = { properties, $defs: { Long: long } };
    const tools = [{ type: "function", function: { name: "f", parameters } }];
    for (const model of ["gpt-3.5-turbo", "gpt-4o", "gpt-5"]) {
      const start = performance.now();
      const { tokens } = countMessages(calls, { model, tools });
      const took = performance.now() - start;
      // It has 2.2 MB, and this number of brackets has fewer tokens.
      assert.ok(tokens > 20_000 && tokens < 2_000_000, `${model}: ${tokens}`);
      assert.ok(took < 5_000, `${model}: ${took} ms`);
    }
  });

  it("counts the name of a call once, however many answers refer to it", () => {
    const rules = chatRules(resolveModel("gpt-4o"));
    let counted = 0;
    const request = new ChatRequest(rules, (text) => {
      counted += text.length;
      return 1;
    });
    const call = { id: "c", function: { name: "f".repeat(10_000), arguments: "{}" } };
    const answers = Array.from({ length: 1_000 }, () => ({ role: "tool", tool_call_id: "c" }));
    request.readMessages([{ role: "assistant", tool_calls: [call] }, ...answers], false);
    assert.ok(counted < 30_000, `${counted}`);
    const [first, last] = [request.messages[1], request.messages.at(-1)];
    assert.deepEqual(first, last);
    assert.ok(last!.calls > 0);
  });

  it("takes no settings from the sender of a request", () => {
    const body = wrong({ model: "gpt-4o", cache: { entries: -1 } });
    assert.equal(
      countMessages(HELLO, body).tokens,
      countMessages(HELLO, { model: "gpt-4o" }).tokens,
    );
  });
});

describe("toolText", () => {
  it("is what the harmony format documents", () => {
    const parameters = {
      type: "object",
      properties: {
        location: { type: "string", description: "The city, e.g. Paris" },
        format: { type: "string", enum: ["celsius", "fahrenheit"], default: "celsius" },
      },
      required: ["location"],
    };
    const { frame, pieces } = toolText([
      { name: "where", description: "Where am I?", parameters: undefined, custom: false },
      { name: "weather", description: "The weather.", parameters, custom: false },
    ], "harmony");
    assert.equal(
      frame[0] + pieces.join("") + frame[1],
      `namespace functions {

// Where am I?
type where = () => any;

// The weather.
type weather = (_: {
// The city, e.g. Paris
location: string,
format?: "celsius" | "fahrenheit", // default: celsius
}) => any;

} // namespace functions`,
    );
  });

  it("is cut between tokens", () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z .,]{0,20}$/);
    const tool = fc.record({
      name: fc.stringMatching(/^[a-z_]{1,12}$/),
      description: fc.oneof(fc.constant(""), word),
      parameters: fc.dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/),
        fc.record({ type: fc.constantFrom("string", "integer", "array"), description: word }),
      ).map((properties) => ({ type: "object", properties })),
      custom: fc.boolean(),
    }) as fc.Arbitrary<ToolDefinition>;
    for (const encoding of ["cl100k_base", "o200k_base"] as const) {
      using tokenizer = new Tokenizer(encoding);
      fc.assert(
        fc.property(fc.array(tool, { minLength: 1, maxLength: 5 }), (tools) => {
          const { frame, pieces } = toolText(tools, "plain");
          const texts = [frame[0], ...pieces, frame[1]];
          const sum = tokenizer.countBatch(texts).reduce((a, b) => a + b, 0);
          assert.equal(sum, tokenizer.count(texts.join("")), texts.join(""));
        }),
        { numRuns: 300 },
      );
    }
  });
});
