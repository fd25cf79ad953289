/**
 * Starts the gateway with one Worker for each core, in Bun and Node.js. The system distributes the connections. In Deno,
 * `deno serve --parallel` does the same without this file.
 *
 *     bun examples/gateway/workers.ts
 *     node examples/gateway/workers.ts
 *
 * @module
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { Worker } from "node:worker_threads";

const { PORT = "8787" } = process.env;
const workers = availableParallelism();
for (let i = 0; i < workers; i++) new Worker(new URL("worker.ts", import.meta.url));
console.log(`${workers} Workers listen on http://localhost:${PORT}`);
