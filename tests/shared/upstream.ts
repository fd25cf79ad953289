/**
 * The upstream of the rig: a server in a process of its own that logs each request that reaches it, by its own clock.
 *
 *     bun tests/shared/upstream.ts
 *
 * It prints its port. `GET /` returns the log.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { monotonicClock } from "../../bench/monotonic.ts";
import type { Admission } from "./checker.ts";

const clock = monotonicClock();
const log: { -readonly [Field in keyof Admission]: Admission[Field] }[] = [];

const server = createServer((request, response) => {
  if (request.method === "GET") response.end(JSON.stringify(log));
  else admit(request, response);
});

/** Logs a request, and answers it after the time that it names. */
function admit({ headers }: IncomingMessage, response: ServerResponse): void {
  const at = clock();
  const entry = {
    asked: Number(headers["x-asked"]),
    decided: Number(headers["x-decided"]),
    at,
    end: Infinity,
    cost: Number(headers["x-cost"]),
    key: String(headers["x-key"]),
    gateway: String(headers["x-gateway"]),
    source: String(headers["x-source"]),
  };
  log.push(entry);
  // A gateway that is killed closes its connections.
  response.once("close", () => entry.end = clock());
  setTimeout(() => response.end("ok"), Number(headers["x-hold"]));
}

server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
