/**
 * One Worker of the gateway in Bun. Its limiters and its pool are those of all: they have the same names.
 *
 * @module
 */
import gateway from "../gateway.ts";

interface BunServer {
  serve(options: typeof gateway & { reusePort: boolean }): void;
}

(globalThis as unknown as { Bun: BunServer }).Bun.serve({ ...gateway, reusePort: true });
