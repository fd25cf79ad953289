/**
 * The section about working off the event loop.
 *
 * @module
 */
import type { AsyncCell } from "../async.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { atMost, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

const CALLS = [
  "transcoding",
  "count",
  "countAsync",
  "encodeAsync",
  "countBatchAsync",
  "encodeBatchAsync",
];

/** How long each call holds the loop for the largest text, and how long it takes. */
function all(record: BenchRecord<AsyncCell>): string[] {
  const { runtimes } = record;
  const rows = Object.values(runtimes).flatMap(({ runtime, result }) => {
    const largest = Math.max(...result.map(({ characters }) => characters));
    const texts = [...new Set(result.map(({ text }) => text))];
    return texts.map((text) => {
      const cells = CALLS.map((call) => {
        const cell = result.filter((one) => one.text === text && one.call === call)
          .reduce((a, b) => b.characters > a.characters ? b : a);
        return `${cell.held.toFixed(1)} (${cell.ms.toFixed(0)})`;
      });
      return [`${runtime}, ${text}, ${Math.round(largest / 1e6)} M characters`, ...cells];
    });
  });
  return [
    "The longest the event loop is held, in milliseconds, and in brackets how long the call takes. " +
    "*Transcoding* is `TextEncoder.encode` of the same string: what any native code has to pay " +
    "once, here in one go. The batches are the same text in parts of 4,000 characters. Up to 32,768 " +
    "characters the asynchronous calls work at once: that holds the loop for less than it takes to " +
    "hand over.",
    "",
    ...markdown(["", ...CALLS.map((call) => call === "transcoding" ? call : `\`${call}\``)], rows),
    "",
    ...goalTable(record, GOALS),
  ];
}

const GOALS: readonly Goal<AsyncCell>[] = [{
  goal: "64 M characters, any asynchronous call: the loop held for at most 5 ms",
  value: (cells) => {
    const largest = Math.max(...cells.map(({ characters }) => characters));
    return Math.max(
      ...cells.filter(({ call, characters }) => call.endsWith("Async") && characters >= largest / 2)
        .map(({ held }) => held),
    );
  },
  met: atMost(5),
  show: (ms) => `${ms.toFixed(1)} ms`,
}];

/** The section of the bench `async`. */
export const ASYNC: Section<AsyncCell> = { title: "Off the event loop", all, goals: GOALS };
