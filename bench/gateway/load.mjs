/**
 * The load generator: autocannon, in a Node.js process of its own. Every connection sends the
 * bodies in an order of its own, so that the gateway does not see one text many times in a row.
 *
 *     node bench/gateway/load.mjs URL BODIES.json CONNECTIONS SECONDS|REQUESTSx
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import autocannon from "autocannon";

const [url, file, connections, extent] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(file, "utf8")).map((body) => ({
  method: "POST",
  path: "/v1/chat/completions",
  headers: { "content-type": "application/json" },
  body,
}));

let clients = 0;
const share = Math.ceil(requests.length / Number(connections));
const result = await autocannon({
  url,
  connections: Number(connections),
  ...(extent.endsWith("x")
    ? { amount: Number(extent.slice(0, -1)) }
    : { duration: Number(extent) }),
  setupClient(client) {
    const at = (clients++ * share) % requests.length;
    client.setRequests([...requests.slice(at), ...requests.slice(0, at)]);
  },
});

console.log(JSON.stringify({
  requestsPerSecond: result.requests.average,
  p50: result.latency.p50,
  p99: result.latency.p99,
  failed: result.errors + result.non2xx + result.timeouts,
}));
