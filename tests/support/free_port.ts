/**
 * Ports of 127.0.0.1 that no process listens on.
 *
 * They are below the range from which systems choose the ports of outgoing connections, so that a server that starts
 * again finds its port free.
 *
 * @module
 */
import { createServer } from "node:net";

const FIRST = 20_000;
const COUNT = 8_000;

/** A port that was free a moment ago, and was not returned before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (!returned.has(port) && await isFree(port)) {
      returned.add(port);
      return port;
    }
  }
}

const returned = new Set<number>();

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
