/**
 * What a run may take beyond the process that tokenizes one line: the runtime, the library and its vocabulary.
 *
 * @module
 */
export const BASE_MEMORY: number = 64 * 2 ** 20;

/** Of each thread. */
export const WORKER_MEMORY: number = 48 * 2 ** 20;

/** Of a Parquet file: its pages, and what was decompressed of them, until the collector of garbage has run. */
export const PARQUET_MEMORY: number = 32 * 2 ** 20;
