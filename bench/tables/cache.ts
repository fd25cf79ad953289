/**
 * The section about the count cache.
 *
 * @module
 */
import type { CacheCell } from "../cache.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";
import type { Section } from "./section.ts";

/** What a request of a growing chat costs with and without the cache. */
function all({ runtimes }: BenchRecord<CacheCell>): string[] {
  const rows = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result.map(({ size, plain, cached, known, gain }) => [
      `${size.toLocaleString("en")} characters a message, ${runtime}`,
      duration(1_000 * plain.median),
      duration(1_000 * cached.median),
      `${gain.median.toFixed(1)}x`,
      duration(1_000 * known.median),
    ])
  );
  return [
    "Chats of 20 turns that send all messages with every turn; time per request, as a mean over the " +
    "turns. *All known*: the same requests once more.",
    "",
    ...markdown(["", "without cache", "with", "gain", "all known"], rows),
  ];
}

/** The section of the bench `cache`. */
export const CACHE: Section<CacheCell> = { title: "Texts that come again", all };
