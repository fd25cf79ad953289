/**
 * The command `sluice doctor`: a self-test of the installation and, with `--redis`, of a store for shared limits.
 *
 * @module
 */
import process from "node:process";
import { Command } from "commander";
import { type EncodingName, ENCODINGS, Tokenizer } from "../tokenizer/mod.ts";
import { detectBackend, library as loadLibrary } from "../ffi/load.ts";
import { ABI_HASH } from "../ffi/symbols.gen.ts";
import type { Session } from "./session.ts";
import type { StoreFindings } from "./store/examine.ts";
import { version } from "../version.ts";

const EXAMPLES = `Examples:
  sluice doctor            a report, and what to do if something is wrong
  sluice doctor --json     the same for programs and bug reports
  sluice doctor --redis redis://localhost:6379    also: can this server share limits?
`;

/** Words, a contraction, digits, accents, Han, an emoji with a modifier, and several kinds of white space. */
const SAMPLE = "Hello, world! It's 2026: naïve façade, 你好 👋🏽\r\n\n  done.";

const R50K =
  "15496 11 995 0 632 338 1160 2075 25 41492 24685 16175 671 11 220 19526 254 25001 121 " +
  "50169 233 8582 237 121 201 628 220 1760 13";
const O200K = "13225 11 2375 0 7744 220 1323 21 25 153475 737 114665 11 220 177519 61138 233 " +
  "52622 121 46865 220 4167 13";

/** The ids of the sample according to tiktoken. */
const KNOWN: Readonly<Record<EncodingName, string>> = {
  r50k_base: R50K,
  p50k_base: R50K,
  p50k_edit: R50K,
  cl100k_base: "9906 11 1917 0 1102 596 220 2366 21 25 95980 588 95972 1037 11 220 57668 53901 " +
    "62904 233 9468 237 121 81923 220 2884 13",
  o200k_base: O200K,
  o200k_harmony: O200K,
};

/** How the outcome of a check is shown. */
const LEVELS = { ok: "ok  ", warn: "WARN", fail: "FAIL" } as const;

interface Findings {
  readonly ok: boolean;
  readonly version: string;
  readonly runtime: string;
  readonly platform: string;
  /** Missing if it cannot be loaded. */
  readonly library?: LibraryFindings;
  readonly encodings: readonly { readonly name: EncodingName; readonly ok: boolean }[];
  /** Missing if none is named. */
  readonly store?: StoreFindings;
  /** The problems, with what to do about them. */
  readonly problems: readonly string[];
}

interface LibraryFindings {
  readonly path: string;
  readonly origin: string;
  readonly version: string;
  readonly abiHash: string;
  readonly cpuFeatures: readonly string[];
}

/** The command. */
export function doctorCommand({ out, report }: Session): Command {
  return new Command("doctor")
    .summary("check that the native library works here")
    .description(
      "Shows runtime, platform and native library, and encodes and decodes a known text with each " +
        "encoding. With --redis it also runs the script of shared limits on a Redis or Valkey " +
        "server, or on every primary of a cluster, and looks at the server's version, eviction, " +
        "persistence and clock. Exits with code 1 if anything is wrong; a warning is not.",
    )
    .addHelpText("before", EXAMPLES)
    .option("--json", "print the findings as a JSON object")
    .option(
      "--redis <url>",
      "also examine this store: redis://user:password@host:6379/0, or rediss",
    )
    .option("--prefix <prefix>", "with --redis: the prefix of your limits' keys", "sluice")
    .action(async ({ json, redis, prefix }: Options) => {
      const installation = examine();
      const findings = redis === undefined || !installation.ok
        ? installation
        : await withStore(installation, redis, prefix);
      out.text(json ? JSON.stringify(findings) + "\n" : describe(findings));
      await out.flush();
      for (const problem of findings.problems) report.error(problem);
      for (const { name, level, advice } of findings.store?.checks ?? []) {
        if (level === "warn") report.note(`${name}: ${advice}`);
      }
    });
}

interface Options {
  readonly json?: true;
  readonly redis?: string;
  readonly prefix: string;
}

/** The findings with those about a store. */
async function withStore(
  findings: Findings,
  url: string,
  prefix: string,
): Promise<Findings> {
  // Loaded when it is needed, since the other commands are to start fast.
  const { examineStore } = await import("./store/examine.ts");
  const store = await examineStore(url, prefix);
  const problems = store.checks.filter(({ level }) => level === "fail")
    .map(({ name, finding, advice }) => `${name}: ${finding}: ${advice}`);
  return { ...findings, ok: problems.length === 0, store, problems };
}

function examine(): Findings {
  const platform = `${process.platform}-${process.arch}`;
  let runtime = "unknown";
  let library: LibraryFindings;
  try {
    runtime = detectBackend().runtime;
    library = examineLibrary();
  } catch (error) {
    const problems = [(error as Error).message];
    return { ok: false, version, runtime, platform, encodings: [], problems };
  }
  const problems: string[] = [];
  if (library.version !== version) {
    problems.push(
      `the library is version ${library.version} and the rest is ${version}: rebuild it, or ` +
        "install both in the same version",
    );
  }
  const encodings = ENCODINGS.map((name) => {
    const failure = selfTest(name);
    if (failure !== undefined) {
      problems.push(`${name} ${failure}: rebuild the library, and report it if that is no cure`);
    }
    return { name, ok: failure === undefined };
  });
  return { ok: problems.length === 0, version, runtime, platform, library, encodings, problems };
}

/** The loaded library. Loading it has compared the ABI hashes. */
function examineLibrary(): LibraryFindings {
  const { native, path, origin } = loadLibrary();
  const { sluice_library_version, sluice_library_cpu_features } = native;
  return {
    path,
    origin,
    version: read(sluice_library_version),
    abiHash: `0x${ABI_HASH.toString(16).padStart(8, "0")}`,
    cpuFeatures: read(sluice_library_cpu_features).split(" ").filter((name) => name !== ""),
  };
}

/** The problem of an encoding, or undefined. */
function selfTest(name: EncodingName): string | undefined {
  try {
    using tokenizer = new Tokenizer(name);
    const ids = tokenizer.encode(SAMPLE);
    if (ids.join(" ") !== KNOWN[name]) return "encodes a known text to other ids than tiktoken";
    if (tokenizer.count(SAMPLE) !== ids.length) return "counts another number than it encodes";
    if (tokenizer.decode(ids) !== SAMPLE) return "decodes to another text than it encoded";
    return undefined;
  } catch (error) {
    return `fails: ${(error as Error).message}`;
  }
}

function read(text: (out: Uint8Array, capacity: number) => number): string {
  const bytes = new Uint8Array(256);
  return new TextDecoder().decode(bytes.subarray(0, text(bytes, bytes.length)));
}

function describe(findings: Findings): string {
  const { version, runtime, platform, library, encodings, store, problems } = findings;
  const rows: [string, string][] = [
    ["sluice", version],
    ["runtime", runtime],
    ["platform", platform],
  ];
  if (library !== undefined) {
    rows.push(
      ["library", `${library.path} (${library.origin})`],
      ["version", library.version],
      ["ABI hash", library.abiHash],
      ["CPU", library.cpuFeatures.join(" ") || "no features used"],
    );
  }
  for (const { name, ok } of encodings) rows.push([name, ok ? "ok" : "FAILED"]);
  if (store !== undefined) {
    rows.push(["store", store.address]);
    for (const { name, level, finding } of store.checks) {
      rows.push([`  ${name}`, `${LEVELS[level]}  ${finding}`]);
    }
  }
  rows.push(["", problems.length === 0 ? "everything is in place" : "something is wrong"]);
  return rows.map(([label, value]) => `${label.padEnd(15)}${value}\n`).join("");
}
