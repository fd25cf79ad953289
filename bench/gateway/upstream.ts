/**
 * A model provider that answers at once with a fixed completion. Runs in a process of its own,
 * under Bun, whichever runtime the gateway has.
 *
 * @module
 */
import process from "node:process";
import type { Served } from "./served.ts";

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

const HEADERS = { "content-type": "application/json" };

/** What `bun FILE` serves. */
const server: Served = {
  hostname: "127.0.0.1",
  port: Number(process.env["PORT"]),
  /** Reads the request to its end, as a provider must, and answers. */
  async fetch(request: Request): Promise<Response> {
    await request.arrayBuffer();
    return new Response(COMPLETION, { headers: HEADERS });
  },
};

export default server;
