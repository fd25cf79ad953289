/**
 * An npm registry on loopback. It serves the packages of a folder, accepts what `npm publish` sends, and passes every other
 * request on to the registry that npm is configured for.
 *
 *     bun tests/packed/registry.ts FOLDER [--port 4873]
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { configuredRegistry, readTarball } from "./npm.ts";

/** What a registry says of one version. */
interface Version {
  readonly name: string;
  readonly version: string;
  readonly dist: {
    readonly tarball: string;
    readonly integrity: string;
    readonly shasum: string;
  };
}

/** A packument, as far as installers read it. */
interface Packument {
  readonly name: string;
  readonly "dist-tags": Record<string, string>;
  readonly time: Record<string, string>;
  readonly versions: Record<string, Version>;
}

/** What `npm publish` sends. */
interface Publication {
  readonly name: string;
  readonly "dist-tags": Record<string, string>;
  readonly versions: Record<
    string,
    { readonly dist?: { readonly integrity?: string } }
  >;
  readonly _attachments: Record<string, { readonly data: string }>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array | string;
}

/** Names that are never asked for elsewhere: what is not packed must be missing. */
const OURS = /^(?:sluice|@sluice\/.*)$/;

/** How long ago each version was published. Deno installs nothing that is younger than a day, unless it is told to. */
const AGE_MS = 7 * 24 * 3600 * 1000;

/** A registry that listens. */
export class Registry {
  readonly #packuments = new Map<string, Packument>();
  readonly #tarballs = new Map<string, Uint8Array>();
  /** What the other registry answered. */
  readonly #known = new Map<string, Promise<Answer>>();
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #upstream: string;
  /** Such as `http://127.0.0.1:4873`. */
  url = "";

  /** @param upstream The other registry, without a slash at the end. */
  constructor(upstream: string = configuredRegistry()) {
    this.#upstream = upstream;
  }

  /** Listens on a port of 127.0.0.1, any if 0. */
  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds a tarball as the newest version of its package. Throws if that version is there. */
  add(tarball: Uint8Array, tags: readonly string[] = ["latest"]): Version {
    const manifest = readTarball(tarball);
    const { name, version } = manifest;
    const packument = this.#packuments.get(name) ??
      { name, "dist-tags": {}, time: {}, versions: {} };
    if (version in packument.versions) {
      throw new Error(`${name}@${version} is there already`);
    }
    const path = `/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
    const dist = {
      tarball: this.url + path,
      integrity: integrityOf(tarball),
      shasum: createHash("sha1").update(tarball).digest("hex"),
    };
    const added = { ...manifest, _id: `${name}@${version}`, dist };
    packument.versions[version] = added;
    packument.time[version] = new Date(Date.now() - AGE_MS).toISOString();
    for (const tag of tags) packument["dist-tags"][tag] = version;
    this.#packuments.set(name, packument);
    this.#tarballs.set(path, tarball);
    return added;
  }

  /** The integrity of a version, such as `sha512-…`, if it is there. */
  integrity(name: string, version: string): string | undefined {
    return this.#packuments.get(name)?.versions[version]?.dist.integrity;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      answer = json(500, { error: String(error) });
    }
    response.writeHead(answer.status, { "content-type": answer.type }).end(
      answer.body,
    );
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = decodeURIComponent(new URL(request.url!, this.url).pathname);
    if (request.method === "PUT") return this.#publish(await bodyOf(request));
    const tarball = this.#tarballs.get(path);
    if (tarball !== undefined) {
      return { status: 200, type: "application/octet-stream", body: tarball };
    }
    const packument = this.#packuments.get(path.slice(1));
    if (packument !== undefined) return json(200, packument);
    const [, name] = /^\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
    if (name !== undefined && OURS.test(name)) {
      return json(404, { error: "Not found" });
    }
    return await this.#remembered(request.url!);
  }

  /** Asks the other registry once, and again only if it failed: package managers try again. */
  async #remembered(target: string): Promise<Answer> {
    let known = this.#known.get(target);
    if (known === undefined) {
      this.#known.set(target, known = this.#passOn(target));
    }
    try {
      const answer = await known;
      if (answer.status >= 400) this.#known.delete(target);
      return answer;
    } catch (error) {
      this.#known.delete(target);
      throw error;
    }
  }

  #publish(body: string): Answer {
    const { name, versions, _attachments, "dist-tags": tags } = JSON.parse(
      body,
    ) as Publication;
    const [version] = Object.keys(versions);
    const [attachment] = Object.values(_attachments);
    if (version === undefined || attachment === undefined) {
      return json(400, { error: "there is no version or no tarball" });
    }
    if (this.integrity(name, version) !== undefined) {
      return json(403, {
        error: `You cannot publish over the previously published versions: ${version}.`,
      });
    }
    const tarball = Buffer.from(attachment.data, "base64");
    const told = versions[version]?.dist?.integrity;
    if (told !== integrityOf(tarball)) {
      return json(400, {
        error: `the integrity of the tarball is not ${told}`,
      });
    }
    this.add(tarball, Object.keys(tags));
    return json(201, { success: true });
  }

  async #passOn(path: string): Promise<Answer> {
    const response = await fetch(this.#upstream + path);
    const type = response.headers.get("content-type") ??
      "application/octet-stream";
    const body = new Uint8Array(await response.arrayBuffer());
    if (!type.includes("json")) return { status: response.status, type, body };
    // Tarballs are asked for here as well.
    const text = new TextDecoder().decode(body).replaceAll(
      `${this.#upstream}/`,
      `${this.url}/`,
    );
    return { status: response.status, type, body: text };
  }
}

/** A registry with the tarballs in `folder`, if one is named. */
export async function startRegistry(
  folder?: string,
  port?: number,
): Promise<Registry> {
  const registry = new Registry();
  await registry.listen(port);
  const files = folder === undefined ? [] : readdirSync(folder);
  for (const file of files.filter((file) => file.endsWith(".tgz"))) {
    registry.add(readFileSync(join(folder!, file)));
  }
  return registry;
}

function integrityOf(tarball: Uint8Array): string {
  return `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
}

function json(status: number, value: unknown): Answer {
  return { status, type: "application/json", body: JSON.stringify(value) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

if (import.meta.main) {
  const { positionals: [folder], values: { port } } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string", default: "4873" } },
  });
  const registry = await startRegistry(folder, Number(port));
  console.log(registry.url);
}
