/**
 * Makes a Python environment under `.build/python` with the wheels of `python/requirements.txt`, and lays the
 * vocabularies of tiktoken ready, so that no test needs the network.
 *
 *     bun scripts/install_python.ts
 *
 * Where that cannot be done, it says so and succeeds, because the tests that need Python are skipped then; in CI it
 * fails.
 *
 * @module
 */
// cspell:ignore hashlib hexdigest ensurepip
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  FOLDER,
  isReady,
  PYTHON,
  REQUIREMENTS,
  STAMP,
  STATE,
} from "../tests/support/python_environment.ts";
import { isOnPath } from "../tests/support/on_path.ts";
import { installAll } from "./apt.ts";

/** Those whose vocabulary is a file of its own. */
const ENCODINGS = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"];

/**
 * Asks tiktoken where it would download a vocabulary from, and writes the file into its cache under the name that it
 * will look for. It compares the content with its own SHA-256 when it reads it.
 */
const FILL_CACHE = `
import hashlib, os, sys
import tiktoken_ext.openai_public as public

class Asked(Exception): pass
def ask(address, expected_hash=None):
    raise Asked(address)

real = public.load_tiktoken_bpe
public.load_tiktoken_bpe = ask
for name in sys.argv[1:]:
    try:
        getattr(public, name)()
    except Asked as asked:
        key = hashlib.sha1(asked.args[0].encode()).hexdigest()
        folder = os.environ["TIKTOKEN_CACHE_DIR"]
        os.replace(os.path.join(folder, name), os.path.join(folder, key))
public.load_tiktoken_bpe = real
import tiktoken
for name in sys.argv[1:]:
    tiktoken.get_encoding(name)
`;

if (!isReady()) {
  try {
    install();
    console.log(`made ${FOLDER}`);
  } catch (error) {
    const { stderr, message } = error as { stderr?: unknown; message?: string };
    console.log(String(stderr ?? message).trim());
    console.log("skipped: the tests that need Python, because no environment could be made");
    if (process.env["CI"] === "true") process.exitCode = 1;
  }
}

function install(): void {
  // Debian has the module that makes environments in a package of its own.
  if (!canMakeEnvironments()) installAll(["python3-venv"]);
  rmSync(FOLDER, { recursive: true, force: true });
  run("python3", ["-m", "venv", FOLDER]);
  const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
  run(PYTHON, ["-m", "pip", "install", ...options, "--only-binary=:all:", "-r", REQUIREMENTS]);
  mkdirSync(STATE.TIKTOKEN_CACHE_DIR, { recursive: true });
  for (const name of ENCODINGS) {
    writeFileSync(`${STATE.TIKTOKEN_CACHE_DIR}/${name}`, vocabularyOf(name));
  }
  run(PYTHON, ["-c", FILL_CACHE, ...ENCODINGS]);
  writeFileSync(STAMP, readFileSync(REQUIREMENTS));
}

function canMakeEnvironments(): boolean {
  if (!isOnPath("python3")) return false;
  try {
    run("python3", ["-c", "import ensurepip, venv"]);
    return true;
  } catch {
    return false;
  }
}

/** The file that OpenAI publishes, made again from the one that the npm package tiktoken has. */
function vocabularyOf(name: string): string {
  const { bpe_ranks } = JSON.parse(
    readFileSync(`node_modules/tiktoken/encoders/${name}.json`, "utf8"),
  ) as { bpe_ranks: string };
  const ranks: [rank: number, token: string][] = [];
  for (const line of bpe_ranks.split("\n")) {
    const [, first, ...tokens] = line.split(" ");
    tokens.forEach((token, i) => ranks.push([Number(first) + i, token]));
  }
  ranks.sort(([a], [b]) => a - b);
  return ranks.map(([rank, token]) => `${token} ${rank}\n`).join("");
}

function run(program: string, args: readonly string[]): void {
  const env = { ...process.env, ...STATE };
  execFileSync(program, args, { env, stdio: "pipe", timeout: 300_000 });
}
