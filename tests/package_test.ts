/** What a user installs: both packages packed, installed in an empty project, and run. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { installPacked } from "../scripts/install_packed.ts";
import { TARGETS } from "../scripts/release/targets.ts";
import { packagesOf, PLATFORMS } from "../src/ffi/locate.ts";
import { NO_PYTHON } from "./support/python.ts";
import { PYTHON, STATE } from "./support/python_environment.ts";
import { runOptions } from "./support/runtime.ts";

const PROGRAM = `import { Tokenizer } from "sluice";
import { Tokenizer as Alone } from "sluice/tokenizer";
import { RateLimiter, rate } from "sluice/limiter";
import { retryAfterMs } from "sluice/http";
import { UpstreamPool } from "sluice/pool";
import { valkey } from "sluice/shared";
const tokenizer = new Tokenizer("o200k_base");
console.log(tokenizer.count("Hello, world!"), Alone === Tokenizer, tokenizer.constructor.name);
const limiter = new RateLimiter({
  name: "tenants",
  limits: { rpm: rate({ unit: "requests", limit: 1, per: "day" }) },
});
console.log(limiter.take("a").allowed, limiter.take("a").allowed);
console.log(retryAfterMs(new Headers({ "retry-after": "2" })));
const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "a", maxInFlight: 1 }] });
console.log(pool.tryAcquire()?.upstream);
const client = { run: () => Promise.reject(new Error("not connected")) };
const shared = valkey({ client, onOutage: "closed" });
const limits = { rpm: rate({ limit: 1, per: "day" }) };
const everywhere = new RateLimiter({ name: "everywhere", limits, shared });
console.log((await everywhere.takeShared("a")).source);
await everywhere[Symbol.asyncDispose]();
`;

const CORPUS = `import { tokenizeCorpus } from "sluice/corpus";
let threads = 0;
const { totals: { documents, tokens } } = await tokenizeCorpus(["in.jsonl"], "out", {
  encoding: "o200k_base",
  unitBytes: 50,
  threads: 2,
  onEvent: (event) => {
    if (event.event === "started") threads = event.threads;
    if (event.event === "failed") console.log(event.message);
  },
});
console.log(\`\${threads} threads, \${documents} documents, \${tokens} tokens\`);
`;

const project = mkdtempSync(join(tmpdir(), "sluice-package-"));
const modules = join(project, "node_modules");
after(() => rmSync(project, { recursive: true, force: true }));
writeFileSync(join(project, "main.ts"), PROGRAM);
writeFileSync(join(project, "package.json"), `{ "type": "module" }`);
// Here and not in a hook: type-checking and packing take longer than hooks may.
installPacked(project);

/** How this runtime runs a file, with no more than it needs. */
const RUN = runOptions(["--allow-ffi", "--allow-env"]);

describe("the npm packages", () => {
  it("hold a library of at most 13 MB", () => {
    const folder = join(project, "node_modules/@sluice");
    const libraries = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /libsluice\.|sluice\.dll$/.test(name));
    assert.equal(libraries.length, 1);
    const { size } = statSync(join(folder, libraries[0]!));
    assert.ok(size > 1e6 && size <= 13e6, `${size} bytes`);
  });

  it("have the guides that the README leads to", () => {
    const folder = join(project, "node_modules/sluice");
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    const guides = [...readme.matchAll(/\]\((docs\/[^#)]+)/g)].map((match) => match[1]!);
    assert.ok(guides.length >= 10);
    assert.deepEqual(guides.filter((guide) => !existsSync(join(folder, guide))), []);
  });

  it("carry the licences of what they have of others", () => {
    const [platform] = readdirSync(join(modules, "@sluice")).filter((name) => name !== "native");
    for (
      const [name, known] of [["sluice", "structured-headers"], [`@sluice/${platform}`, "dashmap"]]
    ) {
      const file = readFileSync(join(modules, name!, "THIRD_PARTY_LICENSES.txt"), "utf8");
      const texts = new Map(file.split(/^={80}$/m).map((text) => [/\S+/.exec(text)![0], text]));
      assert.match(texts.get(known!)!, /: MIT$/m);
      // Its package has none; whose the vocabularies are, the README says.
      texts.delete("tiktoken-rs");
      assert.ok(texts.size > 1);
      for (const text of texts.values()) assert.match(text, /permission|licensed under/i, text);
    }
  });

  it("say where they come from, and depend on what was packed only", () => {
    const folders = [
      "sluice",
      ...readdirSync(join(modules, "@sluice")).map((it) => `@sluice/${it}`),
    ];
    const manifests = folders.map((folder) =>
      JSON.parse(readFileSync(join(modules, folder, "package.json"), "utf8"))
    );
    for (const { name, version, repository, homepage, bugs, author, publishConfig } of manifests) {
      assert.equal(version, manifests[0].version, name);
      assert.match(repository.url, /^git\+https:\/\/\S+\.git$/, name);
      for (const field of [homepage, bugs, author]) assert.equal(typeof field, "string", name);
      assert.deepEqual(publishConfig, { access: "public", provenance: true }, name);
    }
    const platforms = folders.filter((name) => name.includes("/") && name !== "@sluice/native");
    for (const name of ["sluice", "@sluice/native"]) {
      const { optionalDependencies } = manifests[folders.indexOf(name)];
      assert.deepEqual(Object.keys(optionalDependencies), platforms, name);
    }
  });

  it("hold nothing that is empty, unreachable or about a checkout", () => {
    const files = readdirSync(join(modules, "sluice"), { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(modules, "sluice", path)).isFile());
    const read = (path: string): string => readFileSync(join(modules, "sluice", path), "utf8");
    assert.deepEqual(files.filter((path) => read(path).trim() === ""), []);
    assert.deepEqual(
      files.filter((path) => path.endsWith(".map") || /(?<!\.d)\.ts$/.test(path)),
      [],
    );
    const typed = files.filter((path) => path.endsWith(".d.ts"));
    const named = typed.flatMap((path) =>
      [...read(path).matchAll(/\bfrom "(\.[^"]+)\.js"/g)].map(([, to]) =>
        `${join(dirname(path), to!)}.d.ts`
      )
    );
    assert.deepEqual([...new Set(named)].filter((path) => !typed.includes(path)), []);
    const { exports } = JSON.parse(read("package.json")) as {
      exports: Record<string, string | { readonly types: string }>;
    };
    const entries = Object.values(exports).flatMap((it) =>
      typeof it === "string" ? [] : [it.types]
    );
    const reached = new Set([...named, ...entries.map((path) => join(path))]);
    assert.deepEqual(typed.filter((path) => !reached.has(path)), []);
    const examples = files.filter((path) => /\bfrom "[^"]*mod\.ts"/.test(read(path)));
    assert.deepEqual(examples, []);
    assert.match(read("README.md"), /^import .* from "sluice";$/m);
  });

  it("are those that the library is looked for in", () => {
    for (const platform of PLATFORMS) {
      const targets = TARGETS.filter(({ os, cpu }) => `${os}-${cpu}` === platform);
      assert.deepEqual(
        packagesOf(platform),
        targets.map(({ name, libc }) => ({ name: `@sluice/${name}`, ...(libc && { libc }) })),
      );
    }
    assert.deepEqual(
      new Set(TARGETS.map(({ os, cpu }) => `${os}-${cpu}`)),
      new Set(PLATFORMS),
    );
  });

  it("need few files to count", () => {
    const folder = join(project, "node_modules/sluice/src/tokenizer");
    const seen = new Set([join(folder, "mod.js")]);
    for (const file of seen) {
      const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export) .*"(\..*)";$/gm);
      for (const [, path] of imports) seen.add(join(dirname(file), path!));
    }
    assert.ok(seen.size > 1 && seen.size <= 3, [...seen].join("\n"));
  });

  it("find the library in the platform package, and give each part alone", () => {
    const output = execFileSync(process.execPath, [...RUN, "main.ts"], {
      cwd: project,
      encoding: "utf8",
    });
    assert.deepEqual(output.trim().split("\n"), [
      "4 true Tokenizer",
      "true false",
      "2000",
      "a",
      "outage",
    ]);
  });

  it("are one module for import and for require", () => {
    const program = `const { Tokenizer } = require("sluice");
import("sluice").then((it) => {
  console.log(it.Tokenizer === Tokenizer, new Tokenizer("o200k_base").count("Hello, world!"));
});
`;
    writeFileSync(join(project, "main.cjs"), program);
    const flags = runOptions(["--allow-ffi", "--allow-env", "--allow-read"]);
    const output = execFileSync(process.execPath, [...flags, "main.cjs"], {
      cwd: project,
      encoding: "utf8",
    });
    assert.equal(output, "true 4\n");
  });

  it("bring the binding for Python, which finds the library too", { skip: NO_PYTHON }, () => {
    const program = "import pyarrow as pa; from sluice_arrow import Tokenizer, _library\n" +
      'print(Tokenizer("o200k_base").count(pa.array(["Hello, world!"])), _library()._name)';
    const { SLUICE_LIB: _, ...rest } = process.env;
    const env = { ...rest, ...STATE };
    const cwd = join(project, "node_modules/sluice/python");
    const output = execFileSync(PYTHON, ["-c", program], { cwd, env, encoding: "utf8" });
    assert.match(output, /^\[\s+4\s+\] \S+\/node_modules\/@sluice\/\S+$/m);
  });

  it("bring the command", () => {
    const flags = runOptions(["--allow-ffi", "--allow-env", "--allow-read"]);
    const main = "node_modules/sluice/src/cli/bin.js";
    const run = (command: string, input = ""): string =>
      execFileSync(process.execPath, [...flags, main, command], {
        cwd: project,
        encoding: "utf8",
        input,
      });
    assert.match(run("doctor"), /platform package/);
    assert.match(run("count", "Hello, world!"), /\b4\b/);
  });

  it("bring the Workers of corpora", () => {
    writeFileSync(join(project, "in.jsonl"), '{"text":"Hello, world!"}\n'.repeat(4));
    writeFileSync(join(project, "corpus.ts"), CORPUS);
    const flags = runOptions(["--allow-ffi", "--allow-env", "--allow-read", "--allow-write"]);
    const output = execFileSync(process.execPath, [...flags, "corpus.ts"], {
      cwd: project,
      encoding: "utf8",
    });
    assert.equal(output, "2 threads, 4 documents, 20 tokens\n");
  });
});
