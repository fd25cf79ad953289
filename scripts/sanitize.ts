/**
 * Runs the native tests under AddressSanitizer (with LeakSanitizer) and a stress of the whole ABI under
 * ThreadSanitizer: `sanitize.ts [address] [thread]`; nothing named is both.
 *
 * The first takes the pinned stable Rust, whose sanitizers only ask to be told that they are meant. The
 * second also needs a standard library that is built with the sanitizer (`tsan.sh`), for which it takes
 * Debian's sources; where they cannot be had, it is skipped and says so.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cargo, execute, type Tally } from "./run.ts";

/** By its whole path: each test runs in the folder of its package. */
const SUPPRESSED = fileURLToPath(new URL("lsan.txt", import.meta.url));

/** Seconds of each stress under ThreadSanitizer. */
const STRESS = process.env["SLUICE_STRESS_SECONDS"] ?? "60";

/**
 * What the sanitizer cannot hold or has no time for: `exhaustion` limits the address space, of which it
 * reserves most; `c` links a C program; `loom` and `hand_over` explore schedules of one thread at a time;
 * `linear_time` measures.
 */
const TESTS = {
  "sluice-limiter": [
    "batch",
    "faults",
    "gateways",
    "ledger",
    "model",
    "plans",
    "snapshot",
    "zones",
  ],
  "sluice-pool": ["faults", "growth", "model"],
  "sluice-abi": ["limiter_garbage", "nonsense", "pool_garbage", "pool_locks", "tokenizer_garbage"],
  "sluice-tokenizer": ["proof"],
};

function host(): string {
  const version = execFileSync("rustc", ["-vV"], { encoding: "utf8" });
  return /^host: (.+)$/m.exec(version)![1]!;
}

async function address(): Promise<Tally> {
  const total = { passed: 0, failed: 0 };
  const runs = Object.entries(TESTS).flatMap(([name, tests]) => [
    // Unit tests leak a little on purpose; only whole stacks tell what is whose, and they take time.
    { name, what: ["--lib"], unwind: 0 },
    { name, what: tests.map((test) => `--test=${test}`), unwind: 1 },
  ]);
  for (const { name, what, unwind } of runs) {
    console.log(`\n── AddressSanitizer: ${name} ${what.join(" ")}`);
    const { code, output } = await execute(
      ["cargo", "test", "--locked", "--target", host(), "--target-dir", "target/asan"]
        .concat("-p", name, ...what, "--no-fail-fast"),
      {
        RUSTC_BOOTSTRAP: "1",
        RUSTFLAGS: "-Zsanitizer=address",
        // A test asks for more than there is, and is to be refused.
        ASAN_OPTIONS: "allocator_may_return_null=1:detect_leaks=1:" +
          `detect_stack_use_after_return=1:fast_unwind_on_malloc=${unwind}`,
        // What the tests leave to the process on purpose.
        LSAN_OPTIONS: `suppressions=${SUPPRESSED}:print_suppressions=0`,
        // Enough cases to walk every path; `make test` has the many.
        PROPTEST_CASES: process.env["PROPTEST_CASES"] ?? "200",
      },
    );
    const { passed, failed } = cargo(output);
    total.passed += passed;
    total.failed += code === 0 && passed > 0 ? failed : Math.max(failed, 1);
  }
  return total;
}

async function thread(): Promise<Tally> {
  const { code, output } = await execute(["sh", "scripts/tsan.sh", "target/tsan"]);
  const program = /^built (.+)$/m.exec(output)?.[1];
  if (code === 3) {
    console.log("ThreadSanitizer: skipped, Debian's rustc-web and its sources cannot be had here");
    return { passed: 0, failed: 0 };
  }
  if (code !== 0 || program === undefined) return { passed: 0, failed: 1 };
  const total = { passed: 0, failed: 0 };
  const runs: [name: string, command: string[], finds: boolean][] = [
    ["the canary race", [program, "canary"], true],
    ["the whole ABI", [program, STRESS, "4"], false],
    ["limiters alone", [program, STRESS, "8", "limiters"], false],
  ];
  for (const [name, command, finds] of runs) {
    console.log(`\n── ThreadSanitizer: ${name}`);
    const { code, output } = await execute(command, {
      TSAN_OPTIONS: "halt_on_error=0 second_deadlock_stack=1 history_size=4",
    });
    const reports = output.match(/^WARNING: ThreadSanitizer/gm)?.length ?? 0;
    const passed = finds ? reports > 0 : reports === 0 && code === 0;
    console.log(`${name}: ${reports} reports, ${passed ? "as it should be" : "FAILED"}`);
    if (passed) total.passed += 1;
    else total.failed += 1;
  }
  return total;
}

const wanted = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
for (const [name, run] of Object.entries({ address, thread })) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { passed, failed } = await run();
  console.log(`\n${name}: ${passed} passed, ${failed} failed`);
  total.passed += passed;
  total.failed += failed;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
