/** Every observable property of a response equals that of the runtime's own `fetch`. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { leasedFetch } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { RUNTIME } from "./support/runtime.ts";

const HUGE = 8 * 2 ** 20;
const TEXT = { "content-type": "text/plain" };

/** Writes the head of a response verbatim, because `node:http` would change it. */
function head(status: string, headers: Record<string, string | string[]>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`)
  );
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`;
}

function chunked(...parts: string[]): string {
  return parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
}

const CHUNKED = { ...TEXT, "transfer-encoding": "chunked" };
const sized = (body: string): string =>
  head("200 OK", { ...TEXT, "content-length": `${body.length}` }) + body;

/** The response of the upstream for a path, written after the head of the request has arrived. */
const PATHS: Readonly<Record<string, (socket: Socket) => void>> = {
  "/sized": (socket) => socket.write(sized("a body of a known length")),
  "/chunked": (socket) =>
    socket.write(`${head("200 OK", CHUNKED)}${chunked("one", "two")}0\r\n\r\n`),
  "/until-close": (socket) => socket.end(head("200 OK", TEXT) + "until it closes"),
  "/empty": (socket) => socket.write(sized("")),
  "/empty-chunked": (socket) => socket.write(`${head("200 OK", CHUNKED)}0\r\n\r\n`),
  "/huge": (socket) => socket.write(sized("x".repeat(HUGE))),
  "/huge-chunked": (socket) => {
    socket.write(head("200 OK", CHUNKED));
    for (let i = 0; i < HUGE / 65_536; i++) socket.write(chunked("y".repeat(65_536)));
    socket.write("0\r\n\r\n");
  },
  "/trailers": (socket) =>
    socket.write(
      `${head("200 OK", { ...CHUNKED, trailer: "x-end" })}${
        chunked("body")
      }0\r\nx-end: yes\r\n\r\n`,
    ),
  "/103": (socket) =>
    socket.write(head("103 Early Hints", { link: "</style.css>; rel=preload" }) + sized("late")),
  "/102-and-103": (socket) =>
    socket.write(
      head("102 Processing", {}) + head("103 Early Hints", { link: "<a>" }) + sized("last"),
    ),
  "/cookies": (socket) =>
    socket.write(
      head("200 OK", {
        "set-cookie": ["a=1; Path=/", "b=2, with a comma", "a=3"],
        "content-length": "0",
      }),
    ),
  "/twice": (socket) =>
    socket.write(
      head("200 OK", { "x-twice": ["one", "two"], vary: ["a", "b"], "content-length": "0" }),
    ),
  "/reason": (socket) => socket.write(head("299 A Reason Of Its Own", { "content-length": "0" })),
  "/no-content": (socket) => socket.write(head("204 No Content", { "x-a": "b" })),
  "/reset-content": (socket) => socket.write(head("205 Reset Content", { "content-length": "0" })),
  "/not-modified": (socket) => socket.write(head("304 Not Modified", { etag: '"x"' })),
  "/partial": (socket) =>
    socket.write(
      head("206 Partial Content", {
        ...TEXT,
        "content-range": "bytes 0-3/9",
        "content-length": "4",
      }) +
        "part",
    ),
  "/not-found": (socket) =>
    socket.write(head("404 Not Found", { ...TEXT, "content-length": "4" }) + "nope"),
  "/failed": (socket) =>
    socket.write(
      head("503 Service Unavailable", { "retry-after": "1", "content-length": "3" }) + "bad",
    ),
  "/301": (socket) => socket.write(head("301 Moved", { location: "/302", "content-length": "0" })),
  "/302": (socket) =>
    socket.write(head("302 Found", { location: "/sized?#there", "content-length": "0" })),
  "/307": (socket) =>
    socket.write(head("307 Temporary", { location: "/sized", "content-length": "0" })),
  "/303": (socket) =>
    socket.write(head("303 See Other", { location: "/sized", "content-length": "0" })),
};

/** Paths, and the options of their requests. */
const CASES: readonly (readonly [string, RequestInit?])[] = [
  ...Object.keys(PATHS).map((path) => [path] as const),
  ["/sized", { method: "HEAD" }],
  ["/chunked", { method: "HEAD" }],
  ["/302", { redirect: "manual" }],
  ["/307", { method: "POST", body: "a body" }],
  ["/303", { method: "POST", body: "a body" }],
  ["/sized", { method: "POST", body: "a body" }],
  ["/sized", { method: "POST", body: "x".repeat(300_000), headers: { expect: "100-continue" } }],
  ["/cookies", { method: "PUT", body: new URLSearchParams({ a: "1" }) }],
];

/** All observable properties of a response. */
async function observe(response: Response): Promise<Record<string, unknown>> {
  const { status, statusText, ok, url, redirected, type, bodyUsed, headers } = response;
  const clone = response.clone();
  const body = await response.bytes();
  return {
    ...{ status, statusText, ok, url, redirected, type, bodyUsed },
    isResponse: response instanceof Response,
    isNull: response.body === null,
    headers: [...headers].sort(),
    cookies: headers.getSetCookie(),
    length: body.length,
    digest: [...new Uint8Array(await crypto.subtle.digest("SHA-256", body))].join(),
    used: response.bodyUsed,
    clone: [clone.url, clone.status, clone.statusText, [...clone.headers].sort()],
    ofClone: (await clone.bytes()).length,
  };
}

describe("The response of pool.fetch equals that of fetch:", () => {
  let server: Server;
  let origin: string;
  before(async () => {
    server = createServer((socket) => {
      socket.on("error", () => {});
      let [request, length] = ["", NaN];
      socket.on("data", (bytes) => {
        request += bytes.toString("latin1");
        const end = request.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (Number.isNaN(length)) {
          length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
          if (/expect: 100-continue/i.test(request)) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if (request.length < end + 4 + length) return;
        const path = /^\S+ ([^ ?]+)/.exec(request)![1]!;
        const isHead = request.startsWith("HEAD");
        [request, length] = ["", NaN];
        // A response to HEAD ends with its headers.
        if (isHead) return socket.write(head("200 OK", { ...TEXT, "content-length": "24" }));
        PATHS[path]!(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => void server.close());

  for (const [path, init = {}] of CASES) {
    const headers = Object.keys((init.headers ?? {}) as object).join();
    const skip = RUNTIME === "node" && headers.includes("expect") &&
      "Node's fetch refuses the header";
    it(
      [path, init.method, init.redirect, headers].filter(Boolean).join(", "),
      { skip },
      async () => {
        const pool = new CountingPool();
        const theirs = await fetch(new Request(origin + path, init)).then(observe, String);
        const ours = await leasedFetch(pool, () => new Request(origin + path, init))
          .then(observe, String);
        assert.deepEqual(ours, theirs);
        assert.equal(typeof ours, "object", String(ours));
        assert.equal(pool.inFlight, 0);
      },
    );
  }
});
