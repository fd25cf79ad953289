/**
 * One Worker of the gateway in Bun or Node.js. It shares its limiters and its pool with the others by their names.
 *
 * @module
 */
import gateway from "../gateway.ts";
import { serve } from "./node_server.ts";

interface BunServer {
  serve(options: typeof gateway & { reusePort: boolean }): void;
}

const { Bun } = globalThis as { Bun?: BunServer };
if (Bun === undefined) serve(gateway.fetch, gateway.port);
else Bun.serve({ ...gateway, reusePort: true });
