/**
 * What runs where: for each target the runtimes that can run on a Linux x64 machine, and the files of `tests` that they
 * run.
 *
 * @module
 */
import type { How } from "../../bench/platform_record.ts";
import type { Runtime } from "../../tests/support/runtime.ts";

/** Some tests in one runtime for one target. */
export interface Suite {
  readonly target: string;
  readonly runtime: Runtime;
  readonly how: How;
  /** Names of files in `tests`, without `_test.ts`. */
  readonly tests: readonly string[];
}

/** Everything that is computed in the library: what another processor or compiler could change. */
const COMPUTED = [
  "tokenizer",
  "conformance",
  "text_buffer",
  "word_buffer",
  "counter",
  "counter_stream",
  "decoder",
  "truncate",
  "chunks",
  "cache",
  "lines",
  "messages",
  "limiter",
  "limiter_keys",
  "limiter_life",
  "limiter_limits",
  "limiter_reservation",
  "limiter_types",
  "pool",
  "pool_ceiling",
  "pool_line",
  "pool_names",
  "pool_options",
  "pool_refusal",
  "pool_upstreams",
  "pooled",
];

/** What depends on the runtime and the system: threads, garbage, arguments, errors and the loader. */
const SYSTEM = [
  "async",
  "workers",
  "limiter_workers",
  "pool_workers",
  "bad_input",
  "error_details",
  "resource_life",
  "resource_pool",
  "models",
  "request",
  "http",
];

/**
 * Tests that start processes of their runtime, write files, or compile C. Not `hostile_arguments`: under qemu 7.2 Bun
 * aborts in `mprotect` when any ArrayBuffer is resized.
 */
const PROCESSES = ["abi", "pool_exit", "cli", "cli_tokenize", "corpus_tokenize", "corpus_formats"];

/** Names of tests that need nothing but a runtime and the library, on any system. */
export const PORTABLE: readonly string[] = [...COMPUTED, ...SYSTEM];

const ALL: readonly string[] = [...PORTABLE, ...PROCESSES];

/** With what takes minutes in an emulator. */
const NATIVE: readonly string[] = [...ALL, "worker_churn"];

/** A useful part for emulators, in which V8 is slow. Not `pool_workers`, which waits for collections of garbage. */
export const BRIEF: readonly string[] = [
  "tokenizer",
  "text_buffer",
  "word_buffer",
  "limiter",
  "limiter_limits",
  "limiter_reservation",
  "pool_line",
  "pool_upstreams",
  "pool_refusal",
  "workers",
  "limiter_workers",
];

/** All suites, in the order of running. Nothing runs macOS here; Deno and Node.js for Windows do not run under Wine. */
export const SUITES: readonly Suite[] = [
  { target: "linux-x64-gnu", runtime: "bun", how: "natively", tests: NATIVE },
  { target: "linux-x64-gnu", runtime: "deno", how: "natively", tests: NATIVE },
  { target: "linux-x64-gnu", runtime: "node", how: "natively", tests: NATIVE },
  { target: "linux-arm64-gnu", runtime: "bun", how: "by qemu", tests: ALL },
  { target: "linux-arm64-gnu", runtime: "deno", how: "by qemu", tests: BRIEF },
  { target: "linux-arm64-gnu", runtime: "node", how: "by qemu", tests: BRIEF },
  { target: "linux-x64-musl", runtime: "bun", how: "natively", tests: NATIVE },
  { target: "linux-arm64-musl", runtime: "bun", how: "by qemu", tests: BRIEF },
  { target: "win32-x64", runtime: "bun", how: "under Wine", tests: PORTABLE },
];

/** The targets of CI's set: one of each C library, processor and system that can run. */
export const CI: readonly string[] = ["linux-arm64-gnu", "linux-x64-musl", "win32-x64"];
