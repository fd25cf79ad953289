/**
 * An upstream that answers in the form of OpenAI with generated text, and reports the usage.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChatMessage, type ChatRequestFields, countMessages, Tokenizer } from "../../mod.ts";

interface Chat extends ChatRequestFields {
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean;
  readonly max_completion_tokens?: number;
}

const WORDS = "Permission is not a socket, and a count of one Worker is wrong. ".split(" ");
/** The pause between two parts of a stream, in milliseconds. */
const PAUSE_MS = 2;

/** The requests that it has served, by key. */
export interface Served {
  inFlight: number;
  most: number;
}

/** Starts one on a port of its own; `served` is kept up to date. Does not keep the process alive. */
export async function startFakeUpstream(
  served: Map<string, Served> = new Map(),
): Promise<string> {
  const server = createServer(async (request, response) => {
    const key = request.headers.authorization?.replace("Bearer ", "") ?? "";
    const count = served.get(key) ?? { inFlight: 0, most: 0 };
    served.set(key, count);
    count.inFlight++;
    count.most = Math.max(count.most, count.inFlight);
    response.once("close", () => count.inFlight--);
    try {
      await answer(await json(request) as Chat, response);
    } catch (error) {
      // The client disconnected during its request, or sent no valid one.
      if (response.headersSent || !request.complete) return response.destroy();
      const message = (error as Error).message;
      response.writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ error: { message, type: "invalid_request_error" } }));
    }
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(chat: Chat, response: ServerResponse): Promise<void> {
  const length = Math.min(chat.max_completion_tokens ?? 64, 64);
  const parts = Array.from({ length }, (_, i) => WORDS[i % WORDS.length] + " ");
  const text = parts.join("");
  const prompt_tokens = countMessages(chat.messages, chat).tokens;
  const completion_tokens = Tokenizer.forModel(chat.model, { estimate: true }).count(text);
  const total_tokens = prompt_tokens + completion_tokens;
  const usage = { prompt_tokens, completion_tokens, total_tokens };
  const common = { id: "chatcmpl-0", created: 0, model: chat.model };
  if (!chat.stream) {
    const message = { role: "assistant", content: text };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    response.writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ ...common, object: "chat.completion", choices, usage }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (rest: object): boolean =>
    response.write(
      `data: ${JSON.stringify({ ...common, object: "chat.completion.chunk", ...rest })}\n\n`,
    );
  for (const content of parts) {
    if (response.closed) return;
    send({ choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null });
    await sleep(PAUSE_MS);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null });
  send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}
