/**
 * One Worker of the gateway in Bun. It shares its limiters and its pool with the others by their names.
 *
 * @module
 */
import gateway from "../gateway.ts";

interface BunServer {
  serve(options: typeof gateway & { reusePort: boolean }): void;
}

(globalThis as unknown as { Bun: BunServer }).Bun.serve({ ...gateway, reusePort: true });
