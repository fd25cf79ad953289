/**
 * A gateway of the rig: it asks its limiter about each request, and forwards what is admitted to the upstream.
 *
 *     bun tests/shared/gateway.ts '{"name": "0", ...}'
 *
 * `GET /KEY` returns what the limiter knows of itself, `DELETE /` closes the limiter.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import process from "node:process";
import { monotonicClock } from "../../bench/monotonic.ts";
import { connect } from "./connect.ts";
import type { Decider, Verdict } from "./decider.ts";
import { type GatewaySettings, settingsOf } from "./settings.ts";
import { WorkerDecider } from "./worker_decider.ts";

const settings = settingsOf<GatewaySettings>(process.argv);
/** Not affected by libfaketime, which cannot see calls of a library that was opened at run time. */
const clock = monotonicClock();
const decider: Decider = settings.workers > 0
  ? await WorkerDecider.start(settings)
  : await connect(settings);

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(error instanceof Error ? error.stack : String(error));
  });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers, url } = request;
  if (method === "GET") {
    // A Worker that was terminated has no answer.
    response.end(JSON.stringify(await decider.stats(url!.slice(1)) ?? null));
    return;
  }
  if (method === "DELETE") {
    await decider.close();
    response.end("closed");
    return;
  }
  const key = String(headers["x-key"]);
  const cost = Number(headers["x-cost"]);
  const asked = clock();
  const verdict = await decider.decide(key, cost * Math.max(1, settings.reserves));
  const times = { "x-asked": String(asked), "x-decided": String(clock()) };
  if (!verdict.allowed) {
    response.writeHead(429).end(`${verdict.source} ${verdict.reason}`);
    return;
  }
  try {
    await forward(headers, verdict, times);
  } finally {
    verdict.end(cost);
  }
  response.end(verdict.source);
}

/** Sends the request to the upstream, which logs it. */
async function forward(
  headers: IncomingMessage["headers"],
  { source }: Verdict,
  times: Readonly<Record<string, string>>,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${settings.upstream}/`, {
    method: "POST",
    headers: {
      ...times,
      "x-key": String(headers["x-key"]),
      "x-cost": String(headers["x-cost"]),
      "x-hold": String(headers["x-hold"]),
      "x-gateway": settings.name,
      "x-source": source,
    },
  });
  await answer.arrayBuffer();
}

server.keepAliveTimeout = 60_000;
server.listen(settings.port, "127.0.0.1", () => console.log("{}"));
