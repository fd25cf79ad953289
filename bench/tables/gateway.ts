/**
 * The README's section about a whole gateway.
 *
 * @module
 */
import { type GatewayCell, kept, profileShare } from "../gateway.ts";
import { median } from "../measure.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";

/** Throughput, what is kept of it, and CPU per request, by way of counting. */
export function gatewayTable({ runtimes }: BenchRecord<GatewayCell>): string[] {
  const rows: string[][] = [];
  for (const { runtime, result } of Object.values(runtimes)) {
    for (const cell of result) {
      const shares = kept(result, cell);
      rows.push([
        `${runtime}, ${cell.size.toLocaleString("en")} characters`,
        cell.variant,
        median(cell.requestsPerSecond).toFixed(0),
        percent(shares.requestsPerSecond),
        `${median(cell.cpu).toFixed(0)} µs`,
        percent(shares.cpu),
        percent(profileShare(cell.profile, "counting")),
        percent(profileShare(cell.profile, "JSON")),
        percent(profileShare(cell.profile, "garbage collection")),
        `${median(cell.p99).toFixed(0)} ms`,
      ]);
    }
  }
  return [
    "![Throughput kept while counting](bench/plots/gateway.svg)",
    "",
    "A gateway that parses, counts, forwards and answers; *kept* is relative to no counting. The load " +
    "sends the same prompts again and again, as clients resend their histories: *sluice, cached* is " +
    "the content cache when it knows every prompt.",
    "",
    ...markdown(
      [
        "",
        "counting by",
        "requests/s",
        "kept",
        "CPU per request",
        "kept, by CPU",
        "profile: counting",
        "JSON",
        "GC",
        "p99",
      ],
      rows,
    ),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
