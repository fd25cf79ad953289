/**
 * The type declarations in projects of users: checked by the oldest and the newest TypeScript, with no library skipped.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { check } from "./cases.ts";
import { expectOk, type Machine } from "./machine.ts";
import { add } from "./managers.ts";
import { writeProject } from "./programs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The versions of TypeScript, and where each is. */
const VERSIONS: readonly (readonly [string, string])[] = [
  ["5.7", join(ROOT, "tests/packed/node_modules/typescript-5-7")],
  ["5.9", join(ROOT, "node_modules/typescript")],
  ["6.0", join(ROOT, "tests/packed/node_modules/typescript-6")],
];

const MODULES = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "node16", moduleResolution: "node16" },
  { module: "esnext", moduleResolution: "bundler" },
];

/** What declares Request, AbortSignal and the like: a browser's library, Node's types or Bun's. */
const GLOBALS: readonly {
  readonly lib: readonly string[];
  readonly types: readonly string[];
}[] = [
  { lib: ["es2022", "dom", "dom.iterable"], types: [] },
  { lib: ["es2022"], types: ["node"] },
  { lib: ["es2022"], types: ["bun"] },
];

const PROGRAM = `import { quota, RateLimiter, Tokenizer, UpstreamPool } from "sluice";
import { tokenizeCorpus } from "sluice/corpus";
import { retryAfterMs } from "sluice/http";
import { rate } from "sluice/limiter";
import { ResourcePool } from "sluice/pool";
import { valkey } from "sluice/shared";
import { countRequest } from "sluice/tokenizer";

const tokens: number = new Tokenizer("o200k_base").count("Hello, world!");
const limits = { day: quota({ limit: 1, per: "day" }), rpm: rate({ limit: 1, per: "minute" }) };
const limiter = new RateLimiter({ name: "tenants", limits });
const { allowed }: { readonly allowed: boolean } = limiter.take("a");
const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "key-1", maxInFlight: 1 }] });
const upstream: string | undefined = pool.tryAcquire()?.upstream;
// @ts-expect-error The types are there, and not any.
const wrong: string = new Tokenizer("o200k_base").count("");
export { allowed, countRequest, ResourcePool, retryAfterMs, tokenizeCorpus, tokens, upstream, valkey, wrong };
`;

/** Runs all cases. */
export async function types(machine: Machine): Promise<void> {
  if (machine.manager("npm") === undefined) return;
  const folder = machine.folder("types");
  writeProject(folder);
  writeFileSync(join(folder, "main.ts"), PROGRAM);
  await add(machine, "npm", folder, ["sluice", ...declarers()], [
    "--ignore-scripts",
  ]);
  for (const [i, [version, typescript]] of VERSIONS.entries()) {
    for (const [j, modules] of MODULES.entries()) {
      // Each version with each resolution and each kind of globals: all pairs in a third of all triples.
      const globals = GLOBALS[(i + j) % GLOBALS.length]!;
      const name = [
        modules.moduleResolution,
        ...globals.lib,
        ...globals.types.map(typesOf),
      ];
      await check(`TypeScript ${version}: ${name.join(", ")}`, async () => {
        writeConfiguration(folder, { ...modules, ...globals });
        const tsc = [
          process.execPath,
          join(typescript, "lib/tsc.js"),
          "-p",
          ".",
        ];
        expectOk(await machine.run(tsc, folder), "tsc");
      });
    }
  }
  const deno = machine.runtimes.get("deno");
  if (deno === undefined) return;
  await check("deno check", async () => {
    expectOk(
      await machine.run([deno, "check", "main.ts"], folder),
      "deno check",
    );
  });
}

function typesOf(name: string): string {
  return `@types/${name}`;
}

/** The packages of types, at the versions that this project has. */
function declarers(): string[] {
  const require = createRequire(
    join(ROOT, "node_modules/@types/bun/package.json"),
  );
  return ["bun", "node"].map(typesOf).map((name) => {
    const path = require.resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(path, "utf8")) as {
      version: string;
    };
    return `${name}@${version}`;
  });
}

function writeConfiguration(
  folder: string,
  options: Readonly<Record<string, unknown>>,
): void {
  const compilerOptions = {
    target: "es2022",
    strict: true,
    noEmit: true,
    ...options,
  };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, skipLibCheck: false },
      files: ["main.ts"],
    }),
  );
}
