/**
 * The files of `examples/cluster` do what they say: their command lines run as local processes, with the environment that
 * each engine would set, and make the files of one undisturbed run.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { EXIT } from "../src/cli/report.ts";
import { type Manifest, tokenizeCorpus } from "../src/corpus/mod.ts";
import { Files } from "./fixtures/cli.ts";
import { runCommand } from "./support/runtime.ts";

const EXAMPLES = fileURLToPath(new URL("../examples/cluster", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const read = (name: string): string => readFileSync(join(EXAMPLES, name), "utf8");

const UNIT_BYTES = 20_000;
/** Small units, so that each share has some. */
const SLUICE = `#!/bin/sh
exec ${runCommand(MAIN).map((word) => `"${word}"`).join(" ")} "$@" --unit ${UNIT_BYTES}\n`;

const files = new Files({});
const CORPUS = join(files.directory, "corpus");
const BIN = join(files.directory, "bin");
const LINES = 3000;
let undisturbed: Manifest | undefined;

interface Ended {
  readonly code: number | string | null;
  readonly output: string;
}

/** Runs a program with only these variables. */
function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ended> {
  const env = { PATH: `${BIN}:${process.env["PATH"]}`, HOME: files.directory, ...environment };
  const child = spawn(command, args, { env, cwd: files.directory, stdio: "pipe" });
  let output = "";
  child.stdout.on("data", (data) => output += data);
  child.stderr.on("data", (data) => output += data);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

function program(name: string, text: string): void {
  writeFileSync(join(BIN, name), text);
  chmodSync(join(BIN, name), 0o755);
}

function checkSame(out: string): void {
  const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")) as Manifest;
  assert.equal(manifest.tree, undisturbed!.tree);
  assert.equal(manifest.documents + manifest.bad, LINES);
}

interface Job {
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly backoffLimitPerIndex: number;
    readonly podFailurePolicy: {
      readonly rules: readonly {
        readonly action: string;
        readonly onExitCodes?: { readonly containerName: string; readonly values: number[] };
      }[];
    };
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly containers: readonly {
          readonly name: string;
          readonly command: readonly string[];
          readonly args: readonly string[];
          readonly env: readonly { readonly name: string; readonly value: string }[];
        }[];
      };
    };
  };
}

describe("examples/cluster", () => {
  before(async () => {
    mkdirSync(CORPUS);
    mkdirSync(BIN);
    program("sluice", SLUICE);
    const line = (i: number) =>
      i === 777
        ? '{"text":'
        : JSON.stringify({ text: `line ${i}: ${"naïve tokens ".repeat(i % 9)}` });
    const lines = Array.from({ length: LINES }, (_, i) => line(i) + "\n");
    writeFileSync(join(CORPUS, "a.jsonl"), lines.slice(0, 1000).join(""));
    writeFileSync(join(CORPUS, "b.jsonl"), lines.slice(1000).join(""));
    const options = { encoding: "o200k_base", unitBytes: UNIT_BYTES, threads: 1 } as const;
    undisturbed =
      (await tokenizeCorpus([CORPUS], join(files.directory, "alone"), options)).manifest;
    assert.ok(undisturbed!.shards.length >= 6);
    assert.equal(undisturbed!.bad, 1);
  });

  it("kubernetes.yaml makes the files of one run", { timeout: 60_000 }, async () => {
    const { spec } = parse(read("kubernetes.yaml")) as Job;
    const [container] = spec.template.spec.containers;
    const out = join(files.directory, "kubernetes");
    const place = (word: string) =>
      word.replace("/data/corpus", () => CORPUS).replace("/data/tokens", () => out);
    const [command, ...args] = [...container!.command, ...container!.args].map(place);
    const environment = Object.fromEntries(container!.env.map(({ name, value }) => [name, value]));
    const pods = Array.from(
      { length: spec.completions },
      (_, i) => run(command!, args, { ...environment, JOB_COMPLETION_INDEX: String(i) }),
    );
    for (const { code, output } of await Promise.all(pods)) assert.equal(code, EXIT.ok, output);
    checkSame(out);
  });

  it("kubernetes.yaml tells each exit code apart", () => {
    const { spec } = parse(read("kubernetes.yaml")) as Job;
    assert.equal(spec.completionMode, "Indexed");
    // Both are needed for FailIndex.
    assert.ok(spec.backoffLimitPerIndex > 0);
    assert.equal(spec.template.spec.restartPolicy, "Never");
    const [container] = spec.template.spec.containers;
    const shards = container!.env.find(({ name }) => name === "SLUICE_SHARDS");
    assert.equal(shards?.value, String(spec.completions));
    const actions = spec.podFailurePolicy.rules.flatMap(({ action, onExitCodes }) => {
      if (onExitCodes === undefined) return [];
      assert.equal(onExitCodes.containerName, container!.name);
      return onExitCodes.values.map((value) => [value, action] as const);
    });
    assert.deepEqual(Object.fromEntries(actions), {
      [EXIT.failure]: "Count",
      [EXIT.usage]: "FailIndex",
      [EXIT.stopped]: "Ignore",
      [EXIT.io]: "Count",
    });
  });

  /** The value of an `#SBATCH` line. */
  const sbatch = (name: string) =>
    new RegExp(`^#SBATCH --${name}=(\\S+)$`, "m").exec(read("slurm.sh"))?.[1];
  const task = (i: number, count: number, out: string) => ({
    CORPUS,
    TOKENS: out,
    SLURM_ARRAY_JOB_ID: "4711",
    SLURM_ARRAY_TASK_ID: String(i),
    SLURM_ARRAY_TASK_COUNT: String(count),
    SLURM_ARRAY_TASK_MIN: "0",
    SLURM_ARRAY_TASK_MAX: String(count - 1),
    SLURM_CPUS_PER_TASK: sbatch("cpus-per-task")!,
  });

  it("slurm.sh makes the files of one run", { timeout: 60_000 }, async () => {
    program("srun", '#!/bin/sh\nexec "$@"\n');
    const out = join(files.directory, "slurm");
    const [, last] = /^0-(\d+)$/.exec(sbatch("array")!)!;
    const count = Number(last) + 1;
    const tasks = Array.from(
      { length: count },
      (_, i) => run("bash", [join(EXAMPLES, "slurm.sh")], task(i, count, out)),
    );
    for (const { code, output } of await Promise.all(tasks)) assert.equal(code, EXIT.ok, output);
    checkSame(out);
  });

  it("slurm.sh queues a task again that was stopped, and no other", async () => {
    program("scontrol", '#!/bin/sh\necho "scontrol $*"\n');
    for (const code of Object.values(EXIT)) {
      program("srun", `#!/bin/sh\nexit ${code}\n`);
      const ended = await run("bash", [join(EXAMPLES, "slurm.sh")], task(1, 3, "unused"));
      const output = code === EXIT.stopped ? "scontrol requeue 4711_1\n" : "";
      assert.deepEqual(ended, { code, output });
    }
  });

  it("the line for xargs makes the files of one run", { timeout: 60_000 }, async () => {
    const [, line] = /```sh\n(seq [^`]*)```/.exec(read("README.md"))!;
    const out = join(files.directory, "xargs");
    const { code, output } = await run("sh", ["-c", line!], { CORPUS, TOKENS: out });
    assert.equal(code, EXIT.ok, output);
    checkSame(out);
  });
});
