/**
 * A JSR registry on loopback: it accepts what `deno publish` sends, and serves it as JSR does.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** The publication that `deno publish` sends to. */
const PUBLISH = /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)\/versions\/([^/]+)$/;

/** How long ago each version was published. Deno installs nothing that is younger than a day, unless it is told to. */
const AGE_MS = 7 * 24 * 3600 * 1000;

interface Version {
  readonly exports: unknown;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A registry that listens. */
export class JsrRegistry {
  /** By the name of the package, then by version. */
  readonly #packages = new Map<string, Map<string, Version>>();
  readonly #folder: string;
  readonly #server: Server;
  /** For `JSR_URL`. */
  url = "";

  /** @param folder Where tarballs are unpacked. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        response.writeHead(500, { "content-type": "application/json" })
          .end(
            JSON.stringify({
              code: "internalServerError",
              message: String(error),
            }),
          );
      });
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { pathname } = new URL(request.url!, this.url);
    const send = (value: unknown, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const publication = PUBLISH.exec(pathname);
    if (publication !== null) {
      const [, scope, own, version] = publication as unknown as [
        string,
        string,
        string,
        string,
      ];
      const name = `@${scope}/${own}`;
      if (request.method === "POST") {
        this.#publish(name, version, await bodyOf(request));
        return send({ id: "1", status: "success", error: null });
      }
      if (this.#packages.get(name)?.has(version) !== true) {
        return send({ code: "notFound" }, 404);
      }
    }
    // Every scope and package exists.
    if (pathname.startsWith("/api/")) return send({});
    const meta = /^\/(@[^/]+\/[^/]+)\/meta\.json$/.exec(pathname);
    if (meta !== null) {
      const versions = this.#packages.get(meta[1]!);
      if (versions !== undefined) return send(metaOf(meta[1]!, versions));
    }
    const ofVersion = /^\/(@[^/]+\/[^/]+)\/([^/]+)_meta\.json$/.exec(pathname);
    if (ofVersion !== null) {
      const version = this.#packages.get(ofVersion[1]!)?.get(ofVersion[2]!);
      if (version !== undefined) return send(versionMetaOf(version));
    }
    const [, name, version, path] = /^\/(@[^/]+\/[^/]+)\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
    const file = this.#packages.get(name ?? "")?.get(version ?? "")?.files.get(
      path ?? "",
    );
    if (file === undefined) return send({ code: "notFound" }, 404);
    response.writeHead(200, { "content-type": typeOf(path!) }).end(file);
  }

  #publish(name: string, version: string, tarball: Uint8Array): void {
    const unpacked = join(this.#folder, version);
    mkdirSync(unpacked, { recursive: true });
    execFileSync("tar", ["xzf", "-"], { cwd: unpacked, input: tarball });
    const paths = readdirSync(unpacked, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(unpacked, path)).isFile());
    // Deno gives files no permission at all, with which only root reads them.
    for (const path of paths) chmodSync(join(unpacked, path), 0o600);
    const files = paths
      .map((path) =>
        [
          `/${path.replaceAll("\\", "/")}`,
          readFileSync(join(unpacked, path)),
        ] as const
      );
    const configuration = JSON.parse(
      readFileSync(join(unpacked, "deno.json"), "utf8"),
    );
    const versions = this.#packages.get(name) ?? new Map<string, Version>();
    versions.set(version, {
      exports: configuration.exports,
      files: new Map(files),
    });
    this.#packages.set(name, versions);
  }
}

function metaOf(name: string, versions: ReadonlyMap<string, Version>): unknown {
  const [scope, own] = name.slice(1).split("/");
  const createdAt = new Date(Date.now() - AGE_MS).toISOString();
  return {
    scope,
    name: own,
    latest: [...versions.keys()].at(-1),
    versions: Object.fromEntries(
      [...versions.keys()].map((version) => [version, { createdAt }]),
    ),
  };
}

function versionMetaOf({ exports, files }: Version): unknown {
  const manifest = [...files].map(([path, file]) => {
    const checksum = `sha256-${createHash("sha256").update(file).digest("hex")}`;
    return [path, { size: file.length, checksum }];
  });
  return { exports, manifest: Object.fromEntries(manifest) };
}

function typeOf(path: string): string {
  if (path.endsWith(".ts")) return "text/typescript";
  return path.endsWith(".json") ? "application/json" : "text/plain";
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
