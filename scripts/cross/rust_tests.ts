/**
 * Runs Rust's own tests of the tokenizer for arm64 by qemu: the kernels of the processor beside the portable ones, and
 * the oracles of whole texts.
 *
 * @module
 */
import type { Result } from "../../bench/platform_record.ts";
import type { Target } from "../release/targets.ts";
import { cargo, execute } from "../run.ts";
import { CARGO_TARGET } from "./folders.ts";
import { linkerOf } from "./linkers.ts";
import { compilerOf } from "./rust.ts";
import { emulator, systemOf } from "./runtimes.ts";

/** What `cargo test` is given: first the kernels, which take a minute, and then the oracles, which take many. */
const RUNS = [["--lib", "--", "arch"], ["--test", "proof"]] as const;

/** Runs the tests, and counts what passed. */
export async function runRustTests(target: Target): Promise<Result> {
  const started = performance.now();
  const { triple, environment } = compilerOf(target);
  const name = triple.toUpperCase().replaceAll("-", "_");
  let [passed, failed] = [0, 0];
  for (const options of RUNS) {
    const args = ["test", "--locked", "-p", "sluice-tokenizer", "--target", triple, ...options];
    const { code, output } = await execute(["cargo", ...args], {
      ...environment,
      CARGO_TARGET_DIR: CARGO_TARGET,
      [`CARGO_TARGET_${name}_LINKER`]: linkerOf(target),
      [`CARGO_TARGET_${name}_RUNNER`]: `${emulator()} -L ${systemOf(target)}`,
    });
    const tally = cargo(output);
    passed += tally.passed;
    failed += code === 0 && tally.passed > 0 ? 0 : Math.max(tally.failed, 1);
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  return { runtime: "Rust", how: "by qemu", files: RUNS.length, seconds, passed, failed };
}
