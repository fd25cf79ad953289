/**
 * The report of an estimate as text: sums, a histogram of bars, and tables with aligned columns.
 *
 * @module
 */
import { printable } from "../../files/file_path.ts";
import type {
  CostEstimate,
  Estimate,
  LimitsEstimate,
  LinePlace,
  ModelEstimate,
  TrainingEstimate,
} from "../../corpus/estimate/estimate_types.ts";
import type { Distribution } from "../../corpus/estimate/distribution.ts";

/** The longest bar of the histogram, in characters. */
const BAR = 40;

/** The report. Each line ends with a line feed. */
export function reportOf(estimate: Estimate): string {
  const { kind, ids, context, training, requests, bad } = estimate;
  const noun = NOUNS[kind];
  if (requests === 0 && bad === 0) return head(estimate, noun).join("\n") + "\n";
  return [
    head(estimate, noun),
    tokens(estimate, noun),
    requests === 0 ? [] : histogram(estimate.distribution, noun),
    models(estimate),
    endpoints(estimate),
    context.over === 0 ? [] : [
      `over the context: ${many(context.over, noun)}, ${places(context.firstOver, context.over)}`,
    ],
    ids === undefined ? [] : idLines(ids),
    training === undefined ? [] : trainingLines(training),
    ...estimate.limits.map((set) => limitLines(set, estimate.inputs > 0)),
  ].filter((lines) => lines.length > 0).map((lines) => lines.join("\n") + "\n").join("\n");
}

const NOUNS = { batch: "request", chat: "chat", text: "text" } as const;

function head({ files, bytes, requests, bad, blank }: Estimate, noun: string): string[] {
  const name = files.length === 1 ? printable(files[0]!.path) : many(files.length, "file");
  const also = [
    bad > 0 ? `${number(bad)} bad` : "",
    blank > 0 ? `${number(blank)} blank` : "",
  ].filter(Boolean);
  const others = also.length > 0 ? `, ${also.join(", ")}` : "";
  return [`${name}: ${many(requests, noun)}${others}, ${size(bytes)}`];
}

function tokens(estimate: Estimate, noun: string): string[] {
  const { tokens, exact, estimated, uncounted, inputs, distribution } = estimate;
  const { p50, p90, p99, max } = distribution;
  const rows = [
    ["tokens", number(tokens), ""],
    ["  exact", number(exact.tokens), `in ${many(exact.requests, noun)}`],
    ["  estimated", number(estimated.tokens), `in ${many(estimated.requests, noun)}`],
  ];
  return [
    ...aligned(rows, [1]),
    ...uncounted === 0 ? [] : [
      `  uncounted   parts of ${many(uncounted, noun)} are in no number, such as images or files`,
    ],
    ...inputs === 0 ? [] : [`texts to embed: ${number(inputs)}`],
    `tokens of a ${noun}: p50 ${number(p50)}, p90 ${number(p90)}, p99 ${number(p99)}, max ${
      number(max)
    }`,
  ];
}

function histogram({ histogram }: Distribution, noun: string): string[] {
  const most = Math.max(...histogram.map(({ count }) => count), 1);
  return aligned(
    [
      [`tokens of a ${noun}`, "", ""],
      ...histogram.map(({ from, to, count }) => [
        from === to ? number(from) : `${number(from)} to ${number(to)}`,
        number(count),
        // A bin that is not empty has a bar.
        "█".repeat(count === 0 ? 0 : Math.max(Math.round(BAR * count / most), 1)),
      ]),
    ],
    [0, 1],
  );
}

function models(estimate: Estimate): string[] {
  const { models, kind, unpriced, unbounded } = estimate;
  const isBatch = kind === "batch";
  const costOf = (model: ModelEstimate) => isBatch ? model.batchCost : model.cost;
  const isPriced = kind !== "chat" && models.some((model) => costOf(model) !== undefined);
  // Of one model they are above.
  const hasRanks = models.length > 1;
  const header = [
    ["model", `${NOUNS[kind]}s`, "tokens in"],
    hasRanks ? ["p50", "p90", "p99", "max"] : [],
    isBatch ? ["tokens out"] : [],
    isPriced ? isBatch ? ["USD in", "USD out", "USD"] : ["USD"] : [],
  ].flat();
  const rows = models.map((model) =>
    [
      [model.model ?? "(no model)", number(model.requests), number(model.tokens)],
      hasRanks ? [model.p50, model.p90, model.p99, model.max].map(number) : [],
      isBatch ? [model.unbounded === model.requests ? "-" : number(model.output)] : [],
      isPriced ? costs(costOf(model), isBatch) : [],
    ].flat()
  );
  const table = aligned([header, ...rows], header.keys().drop(1));
  if (isPriced) table.push(costSentence(estimate));
  if (kind !== "chat" && unpriced.requests > 0) {
    table.push(
      `no price known: ${unpriced.models.slice(0, 5).join(", ")} (${
        many(unpriced.requests, NOUNS[kind])
      })`,
    );
  }
  if (unbounded > 0) {
    table.push(
      `replies not counted: ${many(unbounded, "request")} without a maximum; ` +
        "--output-tokens N or ratio=R says how long replies are",
    );
  }
  return table;
}

function costs(cost: CostEstimate | undefined, isBatch: boolean): string[] {
  if (cost === undefined) return isBatch ? ["-", "-", "-"] : ["-"];
  return isBatch ? [usd(cost.input), usd(cost.output), usd(cost.total)] : [usd(cost.total)];
}

function costSentence({ kind, cost, batchCost }: Estimate): string {
  return kind === "batch"
    ? `cost: ${price(batchCost.total)} as a batch, ${price(cost.total)} as single requests`
    : `cost: ${price(cost.total)}, ${price(batchCost.total)} in a batch`;
}

function endpoints({ endpoints }: Estimate): string[] {
  const names = Object.entries(endpoints);
  if (names.length < 2) return [];
  const each = names.slice(0, 5).map(([name, count]) => `${name} (${number(count)})`);
  return [`more than one endpoint: ${each.join(", ")}`];
}

function idLines(ids: NonNullable<Estimate["ids"]>): string[] {
  const lines: string[] = [];
  if (ids.missing > 0) {
    lines.push(
      `custom_id missing: ${number(ids.missing)}, ${places(ids.firstMissing, ids.missing)}`,
    );
  }
  if (ids.duplicates > 0) {
    const first = ids.firstDuplicates.map(({ id, line, first }) =>
      `${JSON.stringify(id)} of line ${line} is that of line ${first}`
    );
    lines.push(`custom_id not unique: ${number(ids.duplicates)}, ${first.slice(0, 3).join("; ")}`);
  }
  if (ids.refused > 0) {
    const first = ids.firstRefused.map(({ id, line }) => `${JSON.stringify(id)} of line ${line}`);
    lines.push(`custom_id not allowed: ${number(ids.refused)}, ${first.slice(0, 3).join("; ")}`);
  }
  return lines;
}

function trainingLines(training: TrainingEstimate): string[] {
  const { errors, firstErrors, epochs, billedTokens, cost, assistantTokens, messages } = training;
  const found = Object.entries(errors);
  const shape = ({ p50, p90, max }: Distribution) =>
    `p50 ${number(p50)}, p90 ${number(p90)}, max ${number(max)}`;
  return [
    ...found.length === 0
      ? ["errors: none"]
      : ["errors:", ...found.map(([error, count]) => `  ${error}: ${number(count)}`)],
    ...firstErrors.slice(0, 3).map(({ line, error }) => `  line ${line}: ${error}`),
    `without a system message: ${number(training.withoutSystem)}, without a user message: ${
      number(training.withoutUser)
    }`,
    `messages of a chat: ${shape(messages)}`,
    `tokens of the assistant: ${number(assistantTokens.sum)}; of a chat ${shape(assistantTokens)}`,
    `training: ${many(epochs, "epoch")} by default, ${number(billedTokens)} tokens each, ${
      number(epochs * billedTokens)
    } in all` + (cost === undefined ? ", no price of training known" : `, ${price(cost)}`),
  ];
}

/** @param hasInputs Whether there are requests for embeddings. */
function limitLines(
  { name, limits, files, tooLarge, firstTooLarge }: LimitsEstimate,
  hasInputs: boolean,
): string[] {
  const shown = limits.filter(({ embeddings }) => hasInputs || embeddings !== true);
  const rows = shown.map(({ unit, of, used, limit, files }) => [
    `  ${unit.replace("_", " ")} of a ${of}`,
    number(used),
    number(limit),
    `${Math.round(100 * used / limit)}%`,
    files === undefined ? "" : number(files),
  ]);
  const table = aligned([[name, "used", "limit", "", "files"], ...rows], [1, 2, 3, 4]);
  if (files > 1) table.push(`  takes ${number(files)} files: sluice split`);
  if (tooLarge > 0) {
    const first = firstTooLarge.slice(0, 3).map(({ line, limit }) => `line ${line} (${limit})`);
    table.push(`  too large alone: ${number(tooLarge)}, ${first.join("; ")}`);
  }
  return table;
}

function places(first: readonly LinePlace[], count: number): string {
  const lines = first.map(({ line }) => number(line)).join(", ");
  return `line${first.length === 1 ? "" : "s"} ${lines}${count > first.length ? ", …" : ""}`;
}

/** Columns with two spaces between them, and those of `right` aligned to the right. */
function aligned(rows: readonly (readonly string[])[], right: Iterable<number>): string[] {
  const isRight = new Set(right);
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row.map((cell, i) => isRight.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
}

function many(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** Dollars with as many digits as a column of them needs. */
function usd(cost: number): string {
  if (cost > 0 && cost < 0.0001) return "<0.0001";
  const digits = cost < 100 ? 4 : 2;
  return cost.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Dollars with their sign, for sentences. */
function price(cost: number): string {
  const amount = usd(cost);
  return amount.startsWith("<") ? `<$${amount.slice(1)}` : `$${amount}`;
}

function size(bytes: number): string {
  if (bytes < 1e6) return `${number(bytes)} bytes`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
