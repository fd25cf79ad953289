/**
 * Makes the record of the bench `engines` from what Criterion measured of the engine and other Rust crates.
 *
 *     cargo bench -p sluice-tokenizer -- '^(count|in turn)/'
 *     bun bench/criterion.ts
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { machine } from "./machine.ts";
import { rounded } from "./measure.ts";
import { type Cell, recordName, writeRecord } from "./record.ts";
import { updateTables } from "./tables.ts";
import { recordTables } from "./tables/render.ts";

const FOLDER = fileURLToPath(new URL("../target/criterion/", import.meta.url));
const GROUPS = ["count", "in turn"];

/** What this reads of Criterion's `benchmark.json`; `value_str` is the engine. */
interface Benchmark {
  readonly group_id: string;
  readonly function_id: string;
  readonly value_str: string;
  readonly throughput: { readonly Bytes: number };
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

/** The speeds of all benchmarks of the groups, in MB/s. */
function cells(): Cell[] {
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(join("new", "benchmark.json"))).sort().flatMap(
    (file) => {
      const path = join(FOLDER, file);
      const { group_id, function_id, value_str, throughput } = read<Benchmark>(path);
      const [group, encoding] = group_id.split("/");
      if (!GROUPS.includes(group!)) return [];
      const { median } = read<{ median: { point_estimate: number } }>(
        join(dirname(path), "estimates.json"),
      );
      const speed = rounded(1e3 * throughput.Bytes / median.point_estimate);
      return [{ group, encoding, corpus: function_id, engine: value_str, speed }];
    },
  );
}

if (import.meta.main) {
  const version = execFileSync("rustc", ["--version"], { encoding: "utf8" });
  const record = {
    bench: "engines",
    date: new Date().toISOString().slice(0, 10),
    command: "cargo bench -p sluice-tokenizer -- '^(count|in turn)/'",
    machine: machine(),
    runtimes: {
      rust: { runtime: version.split(" ").slice(0, 2).join(" "), seconds: 0, result: cells() },
    },
  };
  writeRecord(record, recordTables(record));
  updateTables(true);
  console.log(`wrote bench/record/${recordName(record)}.json and .md`);
}
