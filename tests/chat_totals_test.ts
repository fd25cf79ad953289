/** Counts of chats, compared with the totals that the API charged. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  type ChatMessage,
  type ChatRequestFields,
  countMessages,
  type MessagesCount,
} from "../mod.ts";

/** A request of `tests/fixtures/chat_totals` and what the API charged for it. */
interface Charged {
  readonly model: string;
  readonly request: Omit<ChatRequestFields, "model"> & { messages: ChatMessage[] };
  readonly prompt_tokens: number;
}

function charged(file: string): Charged[] {
  const url = new URL(`./fixtures/chat_totals/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

function countOf({ model, request }: Charged): MessagesCount {
  return countMessages(request.messages, { model, ...request });
}

/** The errors of counts: their number, how many are exact, the mean and the largest error. */
function errors(requests: readonly Charged[]): [number, number, number, number] {
  const off = requests.map((request) => Math.abs(countOf(request).tokens - request.prompt_tokens));
  const mean = off.reduce((sum, error) => sum + error, 0) / off.length;
  return [off.length, off.filter((e) => e === 0).length, +mean.toFixed(2), Math.max(...off)];
}

describe("countMessages against the charges of the API", () => {
  // Models with prompts of their own, before or instead of those of the request.
  const HIDDEN = /search-preview|^o1-mini/;

  const split = (file: string): [Charged[], Charged[]] => {
    const all = charged(file).filter(({ model }) => !HIDDEN.test(model));
    const plain = (request: Charged): boolean => countOf(request).estimated.length === 0;
    return [all.filter(plain), all.filter((request) => !plain(request))];
  };

  // requests, exact, mean error, largest error
  const EXPECTED: Record<string, [plain: number[], tools: number[]]> = {
    cookbook: [[7, 7, 0, 0], [4, 4, 0, 0]],
    openai_chat_tokens: [[14, 14, 0, 0], [22, 22, 0, 0]],
    fantasy: [[4, 4, 0, 0], [14, 14, 0, 0]],
    pydantic_ai: [[18, 18, 0, 0], [54, 42, 0.22, 1]],
    llama_stack: [[40, 40, 0, 0], [39, 30, 2.46, 12]],
  };

  for (const [file, [plain, tools]] of Object.entries(EXPECTED)) {
    it(`${file}: ${plain[0]} without tools hit, ${tools[1]} of ${tools[0]} with`, () => {
      const [without, with_] = split(file);
      assert.deepEqual(errors(without), plain);
      assert.deepEqual(errors(with_), tools);
    });
  }

  it("differs if the provider adds prompts of its own", () => {
    const hidden = Object.keys(EXPECTED).flatMap(charged).filter(({ model }) => HIDDEN.test(model));
    assert.deepEqual(errors(hidden), [3, 0, 10, 11]);
    for (const request of hidden) {
      assert.ok(countOf(request).estimated.includes("frame"), request.model);
    }
  });

  it("is consistent: every total is the sum of its parts", () => {
    for (const request of Object.keys(EXPECTED).flatMap(charged)) {
      const { tokens, messages, tools, overhead } = countOf(request);
      const parts = [...messages, ...tools].reduce((sum, part) => sum + part.tokens, overhead);
      assert.equal(tokens, parts);
      for (const { tokens, content, name, calls, frame } of messages) {
        assert.equal(tokens, content + name + calls + frame);
      }
    }
  });
});
