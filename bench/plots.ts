/// <reference lib="dom" />
/**
 * The plots of the documents, by Observable Plot, as SVG that reads on light and dark backgrounds.
 *
 *     bun bench/plots.ts            # writes them
 *     bun bench/plots.ts --check    # exits with 1 if one is not what the newest record shows
 *
 * @module
 */
import { barX, frame, line, plot, type PlotOptions, rect, ruleY, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type BenchRecord, newestRecord } from "./record.ts";
import { Cells, figure, ratio } from "./tables/cells.ts";

const FOLDER = new URL("plots/", import.meta.url);
/** Hues of middle lightness, for white and for black; the first is ours. */
const HUES = ["#3b8edb", "#e07b39", "#2fa36b", "#a873d8", "#d6557b"] as const;
const DASHES: Readonly<Record<string, string>> = { Bun: "none", Deno: "4 3" };
const HEADER_HEIGHT = 70;
const STYLE = `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg { color: #24292f; }
@media (prefers-color-scheme: dark) { svg { color: #d0d7de; } }`;

interface Figure {
  readonly title: string;
  readonly subtitle: string;
  /** The names of the hues, in their order. */
  readonly legend: readonly string[];
  /** Whether the dashes of lines stand for runtimes. */
  readonly hasDashes?: boolean;
  readonly plot: PlotOptions;
}

/** The figure of each bench that has one. */
const PLOTS: Readonly<Record<string, (record: BenchRecord) => Figure>> = {
  tokenizer(record) {
    const engines = ["sluice", "hypertok", "gpt-tokenizer", "tiktoken"];
    const keys = ["engine", "encoding", "operation", "class", "size"];
    const cells = Cells.of(record, keys)
      .filter({ encoding: "o200k_base", operation: "count" })
      .filter(({ engine }) => engines.includes(engine as string));
    const classes = [...new Set(cells.map((cell) => cell["class"]))];
    const facet = (name: unknown) => {
      const i = classes.indexOf(name);
      return { fx: i % 4, fy: Math.floor(i / 4) };
    };
    const facets = { fx: "fx", fy: "fy" };
    const titles = classes.map((name) => ({ ...facet(name), name }));
    const points = cells.map((cell) => ({
      ...cell,
      ...facet(cell["class"]),
      runtime: cell["runtime"] as string,
      line: `${cell["engine"]}, ${cell["runtime"]}`,
      speed: figure(cell, "warm"),
    }));
    return {
      title: "Counting, megabytes a second by length of text",
      subtitle: `o200k_base, warm, ${record.date}; both axes logarithmic, higher is better`,
      legend: engines,
      hasDashes: true,
      plot: {
        width: 920,
        height: 460,
        marginLeft: 48,
        x: { type: "log", label: "characters", ticks: 4, tickFormat: "~s" },
        y: { type: "log", label: "MB/s", grid: true, tickFormat: "~s", ticks: 5 },
        fx: { axis: null },
        fy: { axis: null },
        color: { domain: engines, range: HUES.slice(0, engines.length) },
        marks: [
          frame({ strokeOpacity: 0.25 }),
          ...Object.keys(DASHES).map((runtime) =>
            line(points.filter((point) => point.runtime.startsWith(runtime)), {
              ...facets,
              x: "size",
              y: "speed",
              z: "line",
              stroke: "engine",
              strokeWidth: 2,
              strokeDasharray: DASHES[runtime]!,
            })
          ),
          text(titles, { ...facets, text: "name", frameAnchor: "top", dy: -11 }),
        ],
      },
    };
  },

  gateway(record) {
    const cells = Cells.of(record, ["variant", "size"]);
    const bars = cells.filter({ variant: { not: "none" } }).map((cell) => ({
      ...cell,
      size: `${(cell["size"] as number).toLocaleString("en")} characters`,
      kept: 100 * ratio(cell, cells.sibling(cell, { variant: "none" })!, "requestsPerSecond"),
    }));
    const variants = (cells.values("variant", bars) as string[]).toReversed();
    const facets = { fx: "size", fy: "runtime", y: "variant", x: "kept" };
    return {
      title: "Throughput that a gateway keeps while it counts every prompt",
      subtitle: `percent of requests a second without counting, ${record.date}; longer is better`,
      legend: variants,
      plot: {
        width: 920,
        height: 260,
        marginLeft: 100,
        marginRight: 76,
        x: { domain: [0, 118], label: "%", grid: true, ticks: 5 },
        y: { domain: variants, label: null },
        fx: { domain: cells.values("size", bars) as string[], label: null },
        fy: { label: null },
        color: { domain: variants, range: HUES.slice(0, variants.length) },
        marks: [
          frame({ strokeOpacity: 0.25 }),
          barX(bars, { ...facets, fill: "variant" }),
          text(bars, {
            ...facets,
            text: ({ kept }: { kept: number }) => `${kept.toFixed(0)} %`,
            textAnchor: "start",
            dx: 4,
          }),
        ],
      },
    };
  },

  shared(record) {
    const names = ["sluice, auto", "rate-limiter-flexible", "rate-limiter-flexible, insurance"]
      .concat("Upstash, sliding window", "periodic sync, 100 ms");
    const points = Cells.of(record, ["part", "name", "fate", "second"])
      .filter({ part: "timeline", name: { in: names } })
      .map((cell) => ({ ...cell, percent: 100 * (cell["share"] as number) }));
    const runtimes = [...new Set(points.map((point) => (point as { runtime?: string }).runtime))];
    const outage = runtimes.map((runtime) => ({ runtime, from: 0, to: 10 }));
    const facets = { fy: "runtime" };
    return {
      title: "Admitted by four processes while the store is gone for ten seconds",
      subtitle:
        `percent of the limit's rate, second by second, ${record.date}; 100 % is allowed, ` +
        "three times as much arrives",
      legend: names,
      plot: {
        width: 920,
        height: 420,
        marginLeft: 48,
        marginRight: 76,
        x: { label: "seconds since the server was killed" },
        y: { label: "%", grid: true, ticks: 5 },
        fy: { label: null },
        color: { domain: names, range: HUES.slice(0, names.length) },
        marks: [
          rect(outage, {
            ...facets,
            x1: "from",
            x2: "to",
            fill: "currentColor",
            fillOpacity: 0.08,
          }),
          frame({ strokeOpacity: 0.25 }),
          ruleY([100], { strokeDasharray: "4 3" }),
          // Ours is drawn last, above the others.
          ...names.toReversed().map((name) =>
            line(points.filter((point) => (point as { name?: string }).name === name), {
              ...facets,
              x: "second",
              y: "percent",
              stroke: "name",
              strokeWidth: 2,
            })
          ),
        ],
      },
    };
  },
};

/** Draws a figure with its title and legend as one SVG document. */
function draw({ title, subtitle, legend, hasDashes, plot: options }: Figure): string {
  const { document } = parseHTML("<html><body></body></html>");
  const drawing = plot({ ...options, document });
  const width = Number(drawing.getAttribute("width"));
  const height = Number(drawing.getAttribute("height")) + HEADER_HEIGHT;
  // Its style is for a page; a group within this document needs none.
  drawing.querySelector("style")?.remove();
  const dashes = Object.entries(hasDashes ? DASHES : {});
  const entries: readonly { label: string; colour: string; dash: string }[] = [
    ...legend.map((label, i) => ({ label, colour: HUES[i]!, dash: "none" })),
    ...dashes.map(([label, dash]) => ({ label, colour: "currentColor", dash })),
  ];
  let x = 8;
  const keys = entries.map(({ label, colour, dash }) => {
    const key = `<line x1="${x}" x2="${x + 18}" y1="54" y2="54" stroke="${colour}" ` +
      `stroke-width="3" stroke-dasharray="${dash}"/>` +
      `<text x="${x + 24}" y="58" font-size="11">${label}</text>`;
    // There is no font to measure with; this is wide enough for the usual ones.
    x += 40 + Math.round(6.4 * label.length);
    return key;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" \
height="${height}" role="img" aria-label="${title}">
<style>${STYLE}</style>
<g fill="currentColor">
<text x="8" y="20" font-size="15" font-weight="600">${title}</text>
<text x="8" y="38" font-size="11" opacity="0.75">${subtitle}</text>
${keys.join("\n")}
</g>
<g transform="translate(0,${HEADER_HEIGHT})" fill="currentColor" font-size="11" text-anchor="middle">
${drawing.innerHTML}
</g>
</svg>
`;
}

/** The SVG of every bench with a record, by its name. */
function drawings(): Map<string, string> {
  const all = new Map<string, string>();
  for (const [bench, figureOf] of Object.entries(PLOTS)) {
    const record = newestRecord(bench);
    if (record !== undefined) all.set(bench, draw(figureOf(record)));
  }
  return all;
}

/** Writes `bench/plots/NAME.svg` for every bench with a record, and returns the names. */
export function writePlots(): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const all = drawings();
  for (const [bench, svg] of all) writeFileSync(new URL(`${bench}.svg`, FOLDER), svg);
  return [...all.keys()];
}

/** Compares the files with what the newest records show. Returns the names of all, and of those that differ. */
function checkPlots(): { all: string[]; stale: string[] } {
  const drawn = drawings();
  const stale = [...drawn].filter(([bench, svg]) => {
    const file = new URL(`${bench}.svg`, FOLDER);
    return !existsSync(file) || readFileSync(file, "utf8") !== svg;
  });
  return { all: [...drawn.keys()], stale: stale.map(([bench]) => bench) };
}

if (import.meta.main) {
  const { all, stale } = process.argv.includes("--check")
    ? checkPlots()
    : { all: writePlots(), stale: [] };
  console.log(`plots: ${all.join(", ") || "no records yet"}`);
  if (stale.length > 0) {
    console.error(`not what the newest records show (bun bench/plots.ts): ${stale.join(", ")}`);
    process.exitCode = 1;
  }
}
