/**
 * Installs in which something is twice, or is missing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { check } from "./cases.ts";
import { expectOk, type Machine } from "./machine.ts";
import { add } from "./managers.ts";
import { PRINTED, runWith, writeProgram, writeProject } from "./programs.ts";
import type { Registry } from "./registry.ts";

/** The version of the second copy. */
const OTHER = "0.99.0";

/** Takes from a limiter of the same name by each of two copies, twice, and prints what was allowed and the warnings. */
const TWO = `import process from "node:process";
import * as one from "sluice";
import * as two from "second";
const warned = [];
let patience;
const print = () => {
  clearTimeout(patience);
  console.log(JSON.stringify({ allowed, warned }));
};
process.on("warning", ({ code }) => {
  if (!code?.startsWith("SLUICE")) return;
  warned.push(code);
  print();
});
const take = ({ quota, RateLimiter }) =>
  new RateLimiter({ name: "tenants", limits: { day: quota({ limit: 1, per: "day" }) } })
    .take("tenant").allowed;
const allowed = [take(one), take(two), take(one), take(two)];
patience = setTimeout(print, 1000);
`;

/** Prints what the first use of the library throws. */
const FAILING = `import { Tokenizer } from "sluice";
try {
  new Tokenizer("o200k_base");
} catch ({ name, code, message }) {
  console.log(name, code, message);
}
`;

/** Runs all cases. */
export async function copies(
  machine: Machine,
  registry: Registry,
  folder: string,
): Promise<void> {
  if (machine.manager("npm") === undefined) return;
  await twoVersions(machine, registry, folder);
  await twoFolders(machine);
  await omitted(machine);
}

/** Two versions have two libraries, share nothing, and say so. */
async function twoVersions(
  machine: Machine,
  registry: Registry,
  tarballs: string,
): Promise<void> {
  publishOther(machine, registry, tarballs);
  const folder = machine.folder("two-versions");
  writeProject(folder);
  writeFileSync(join(folder, "main.mjs"), TWO);
  await check("npm adds two versions", async () => {
    await add(machine, "npm", folder, ["sluice", `second@npm:sluice@${OTHER}`]);
  });
  for (const runtime of machine.runtimes.keys()) {
    await check(
      `  which share nothing in ${runtime}, with a warning`,
      async () => {
        const ended = await machine.run(runWith(runtime, "main.mjs"), folder);
        const { allowed, warned } = JSON.parse(expectOk(ended, runtime).stdout);
        assert.deepEqual(allowed, [true, true, false, false]);
        assert.deepEqual(
          warned.filter((code: string) => code.startsWith("SLUICE")),
          [
            "SLUICE_TWO_COPIES",
          ],
        );
      },
    );
  }
}

/** Packs the tarballs again as another version, which is not the newest one. */
function publishOther(
  machine: Machine,
  registry: Registry,
  tarballs: string,
): void {
  for (
    const file of readdirSync(tarballs).filter((name) => name.endsWith(".tgz"))
  ) {
    const folder = machine.folder("other");
    // By standard input and output, because GNU tar takes a drive of Windows for a host.
    execFileSync("tar", ["xzf", "-"], {
      cwd: folder,
      input: readFileSync(join(tarballs, file)),
    });
    const manifest = join(folder, "package/package.json");
    const fields = JSON.parse(readFileSync(manifest, "utf8"));
    const own = Object.entries<string>(fields.optionalDependencies ?? {})
      .map((
        [name, version],
      ) => [name, version === fields.version ? OTHER : version]);
    writeFileSync(
      manifest,
      JSON.stringify({
        ...fields,
        version: OTHER,
        optionalDependencies: Object.fromEntries(own),
      }),
    );
    const packed = execFileSync("tar", ["czf", "-", "package"], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    });
    registry.add(packed, ["other"]);
  }
}

/** One version in two folders has one library, and shares everything. */
async function twoFolders(machine: Machine): Promise<void> {
  const folder = machine.folder("two-folders");
  writeProject(folder);
  writeFileSync(join(folder, "main.mjs"), TWO);
  await check("npm adds one version twice", async () => {
    const { version } = await packedVersion(machine);
    await add(machine, "npm", folder, [
      "sluice",
      `second@npm:sluice@${version}`,
    ]);
  });
  for (const runtime of machine.runtimes.keys()) {
    await check(`  which share everything in ${runtime}`, async () => {
      const ended = await machine.run(runWith(runtime, "main.mjs"), folder);
      const { allowed, warned } = JSON.parse(expectOk(ended, runtime).stdout);
      assert.deepEqual(allowed, [true, false, false, false]);
      assert.deepEqual(
        warned.filter((code: string) => code.startsWith("SLUICE")),
        [],
      );
    });
  }
}

async function packedVersion(machine: Machine): Promise<{ version: string }> {
  const response = await fetch(`${machine.registry}/sluice`);
  const packument = await response.json() as {
    "dist-tags": { latest: string };
  };
  return { version: packument["dist-tags"].latest };
}

/** Without the package of this platform, the error names it, and its advice helps. */
async function omitted(machine: Machine): Promise<void> {
  const folder = machine.folder("omitted");
  writeProject(folder);
  writeFileSync(join(folder, "failing.mjs"), FAILING);
  const advice = new Map<string, string>();
  await check("npm adds it without optional dependencies", async () => {
    await add(machine, "npm", folder, ["sluice"], ["--omit=optional"]);
  });
  for (const runtime of machine.runtimes.keys()) {
    await check(`  and ${runtime} is told what to install`, async () => {
      const ended = expectOk(
        await machine.run(runWith(runtime, "failing.mjs"), folder),
        runtime,
      );
      assert.match(ended.stdout, /^SluiceError SLUICE_LIBRARY_NOT_FOUND /);
      const [, name] = /npm install (@sluice\/\S+)/.exec(ended.stdout) ?? [];
      assert.ok(name !== undefined, ended.stdout);
      advice.set(runtime, name);
      return `npm install ${name}`;
    });
  }
  for (const [runtime, name] of advice) {
    await check(`  which helps ${runtime}`, async () => {
      await add(machine, "npm", folder, [name]);
      const command = runWith(runtime as "bun", writeProgram(folder));
      const ended = expectOk(await machine.run(command, folder), runtime);
      assert.equal(ended.stdout.trim(), PRINTED);
    });
  }
}
