/**
 * The section about a whole gateway.
 *
 * @module
 */
import { type GatewayCell, kept, profileShare, PROMPT_SIZES } from "../gateway.ts";
import { VARIANTS } from "../gateway/variants.ts";
import { median } from "../measure.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { atLeast, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

const WHAT =
  "A gateway that parses, counts, forwards and answers; *kept* is relative to no counting. The load " +
  "sends the same prompts again and again, as clients resend their histories: *sluice, cached* is " +
  "the content cache when it knows every prompt.";

const PLOT = "![Throughput kept while counting](bench/plots/gateway.svg)";

/** What is kept of the throughput, by length of prompt and way of counting. */
function head({ runtimes }: BenchRecord<GatewayCell>): string[] {
  const ways = VARIANTS.filter((variant) => variant !== "none");
  const rows = Object.values(runtimes).flatMap(({ runtime, result }) =>
    PROMPT_SIZES.map((size) => [
      `${runtime}, ${size.toLocaleString("en")} characters`,
      ...ways.map((way) => {
        const cell = result.find((one) => one.size === size && one.variant === way);
        return cell === undefined ? "–" : percent(kept(result, cell).requestsPerSecond);
      }),
    ])
  );
  return [PLOT, "", `${WHAT} Requests a second, kept:`, "", ...markdown(["", ...ways], rows)];
}

/** Throughput, what is kept of it, and CPU per request, by way of counting. */
function all(record: BenchRecord<GatewayCell>): string[] {
  const { runtimes } = record;
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
        seen(profileShare(cell.profile, "counting")),
        seen(profileShare(cell.profile, "JSON")),
        seen(profileShare(cell.profile, "garbage collection")),
        `${median(cell.p99).toFixed(0)} ms`,
      ]);
    }
  }
  return [
    PLOT,
    "",
    `${WHAT} *sluice, async* counts prompts of up to 32,768 characters at once as well, so all of ` +
    "these. The profile's shares are of functions that it saw by name; what a runtime has inlined it " +
    "gives to the caller (–).",
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
    "",
    ...goalTable(record, GOALS),
  ];
}

/** What the gateway is to keep of its throughput, by length of prompt. */
const KEPT: Readonly<Record<(typeof PROMPT_SIZES)[number], number>> = {
  400: 0.95,
  4_000: 0.85,
  32_000: 0.55,
};

const GOALS: readonly Goal<GatewayCell>[] = PROMPT_SIZES.map((size) => ({
  goal: `${size.toLocaleString("en")} characters: at least ${percent(KEPT[size])} kept`,
  value: (cells) => {
    const cell = cells.find((cell) => cell.size === size && cell.variant === "sluice");
    return cell === undefined ? NaN : kept(cells, cell).requestsPerSecond;
  },
  met: atLeast(KEPT[size]),
  show: percent,
}));

function seen(share: number): string {
  return share === 0 ? "–" : percent(share);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** The section of the bench `gateway`. */
export const GATEWAY: Section<GatewayCell> = { title: "In a gateway", all, head, goals: GOALS };
