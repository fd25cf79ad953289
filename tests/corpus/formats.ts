/**
 * One run for each format: what it is given, and the hash of all that it writes.
 *
 * @module
 */
// cspell:ignore llmc

/** A run that is killed, and checked byte by byte. */
export interface FormatRun {
  readonly name: string;
  readonly args: readonly string[];
  readonly threads: 1 | 2;
  /** The hash of hashes of the manifest, by either runtime. It changes only with the format or the corpus. */
  readonly tree: string;
}

const COMMON = ["--encoding", "o200k_base"];

/** All formats, and what changes the bytes within one. */
export const FORMAT_RUNS: readonly FormatRun[] = [
  {
    name: "bin",
    args: [...COMMON, "--format", "bin"],
    threads: 2,
    tree: "4dffaa156055cfd9d74144fb65885bea1845eaaf55ea54d2f886bcb04125aa19",
  },
  {
    name: "bin of 16 bits, packed",
    args: ["--encoding", "r50k_base", "--pack", "512", "--pad"],
    threads: 1,
    tree: "8beef09f84228c90f5b4f0e7dc18b8e2bdb2766f42858c74866ef2aadd784473",
  },
  {
    name: "megatron",
    args: [...COMMON, "--format", "megatron"],
    threads: 1,
    tree: "c1de580f595008e83f5dd059e95752601cfd78dc6d7d954e3baa2c61c0543383",
  },
  {
    name: "npy",
    args: [...COMMON, "--format", "npy"],
    threads: 2,
    tree: "d60557e03b7b2410db7c9b502e0e0305bd3a320213c0c022fda8c1007f1af9eb",
  },
  {
    name: "llmc",
    args: ["--encoding", "r50k_base", "--format", "llmc"],
    threads: 1,
    tree: "eb6b8ff20eaf02514733b41191151e36574077ee08319aa041b71170f077a177",
  },
  {
    name: "arrow",
    args: [...COMMON, "--format", "arrow"],
    threads: 2,
    tree: "85eb3a6a12f48ce75948541216e0a953c7329d9d1b7d2aa3cfbb294026e0baad",
  },
  {
    name: "jsonl",
    args: [...COMMON, "--format", "jsonl"],
    threads: 1,
    tree: "385870cc9ec009148a93c95d2991ce6e5a809392021c54d8c0960a46dc635e47",
  },
];
