/** A gateway returns the content of an upstream, whatever its content coding. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { leasedFetch } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { CODINGS, decoded, EncodingServer, MEANT } from "./fixtures/encoding_server.ts";
import { ask, type NativeServer, serve } from "./fixtures/native_server.ts";

/** The headers of the request, on which it depends whether a runtime decodes. */
const ASKED: Readonly<Record<string, Record<string, string>>> = {
  "as it is": {},
  "for identity": { "accept-encoding": "identity" },
  "for IDENTITY": { "accept-encoding": "IDENTITY" },
  "for gzip and br": { "accept-encoding": "gzip, br" },
  "for anything": { "accept-encoding": "*" },
  "for a range": { range: "bytes=0-99" },
};

/** The ways in which a gateway returns the response of `pool.fetch`. */
const HANDED: Readonly<Record<string, (response: Response) => Response>> = {
  "the response itself": (response) => response,
  // As frameworks that add headers do.
  "a response made of it": (response) => new Response(response.body, response),
  "a clone": (response) => response.clone(),
  "half of a tee": (response) => new Response(response.body!.tee()[1], response),
};

describe("pool.fetch passes on", () => {
  let upstream: EncodingServer;
  let gateway: NativeServer;
  before(async () => {
    upstream = await EncodingServer.start();
    gateway = await serve(async (request) => {
      const { searchParams, search } = new URL(request.url);
      const headers = ASKED[searchParams.get("asked") ?? "as it is"]!;
      const hand = HANDED[searchParams.get("handed") ?? "the response itself"]!;
      const make = () => new Request(`${upstream.origin}/${search}`, { headers });
      return hand(await leasedFetch(new CountingPool(), make));
    });
  });
  after(async () => {
    await gateway.stop();
    await upstream[Symbol.asyncDispose]();
  });

  /** Asks the gateway, and undoes the coding that it told of. */
  async function assertMeant(query: Record<string, string>): Promise<void> {
    const url = `${gateway.origin}/?${new URLSearchParams(query)}`;
    for (const accept of [undefined, "identity", "gzip", "gzip, deflate, br, zstd"]) {
      const { headers, body } = await ask(url, accept ? { "accept-encoding": accept } : {});
      const coding = headers["content-encoding"] as string | undefined;
      assert.equal(decoded(coding, body), MEANT, `accept-encoding ${accept}`);
      const length = headers["content-length"];
      if (length !== undefined) assert.equal(Number(length), body.length);
    }
  }

  for (const coding of Object.keys(CODINGS)) {
    describe(`${coding}:`, () => {
      for (const asked of Object.keys(ASKED)) {
        it(`asked ${asked}`, async () => {
          await assertMeant({ coding, asked });
          await assertMeant({ coding, asked, chunked: "" });
        });
      }
      for (const handed of Object.keys(HANDED)) {
        it(handed, async () => await assertMeant({ coding, handed }));
      }
      for (const status of ["206", "404", "500"]) {
        it(`with status ${status}`, async () => await assertMeant({ coding, status }));
      }
    });
  }

  it("what a fetch of the caller's made itself, under its own headers", async () => {
    const body = CODINGS["gzip"]!.encode(new TextEncoder().encode(MEANT));
    const headers = { "content-encoding": "gzip", "content-length": String(body.length) };
    const response = await leasedFetch(new CountingPool(), () => upstream.origin, {
      fetch: () => Promise.resolve(new Response(body as Uint8Array<ArrayBuffer>, { headers })),
    });
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(decoded("gzip", await response.bytes()), MEANT);
  });

  for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
    it(`the headers of what has no body: ${method}, ${status}`, async () => {
      for (const coding of ["gzip", "br", "identity"]) {
        const url = `${upstream.origin}/?coding=${coding}&status=${status}`;
        const ours = await leasedFetch(new CountingPool(), () => new Request(url, { method }));
        const theirs = await fetch(url, { method });
        for (const name of ["content-encoding", "content-length", "content-type"]) {
          assert.equal(ours.headers.get(name), theirs.headers.get(name), `${name} of ${coding}`);
        }
        assert.equal(await ours.text(), "");
      }
    });
  }

  it("content-length where it is still true", async () => {
    const url = `${upstream.origin}/?coding=identity`;
    const response = await leasedFetch(new CountingPool(), () => url);
    assert.equal(response.headers.get("content-length"), String(MEANT.length));
    assert.equal((await response.text()).length, MEANT.length);
  });
});
