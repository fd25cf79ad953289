/**
 * Speed by length of text, one small plot for each class.
 *
 * @module
 */
import { frame, line, text } from "@observablehq/plot";
import type { EngineName } from "../engines.ts";
import { median } from "../measure.ts";
import type { BenchRecord } from "../record.ts";
import { CLASS_TITLES, TEXT_CLASSES, type TextClass } from "../text_walk.ts";
import type { Cell } from "../tokenizer_cells.ts";
import { dashOf, figure, HUES, RUNTIME_LEGEND } from "./figure.ts";

const SHOWN: readonly EngineName[] = ["sluice", "hypertok", "gpt-tokenizer", "tiktoken"];
const COLUMNS = 4;

/** Counting with o200k_base, warm, both runtimes. */
export function tokenizerPlot({ runtimes, date }: BenchRecord<Cell>): string {
  const place = (textClass: TextClass) => {
    const i = TEXT_CLASSES.indexOf(textClass);
    return { fx: i % COLUMNS, fy: Math.floor(i / COLUMNS) };
  };
  const points = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result
      .filter(({ encoding, operation, engine }) =>
        encoding === "o200k_base" && operation === "count" && SHOWN.includes(engine)
      )
      .map((cell) => ({
        ...place(cell.class),
        engine: cell.engine,
        line: `${cell.engine}, ${runtime}`,
        dash: dashOf(runtime),
        size: cell.size,
        speed: median(cell.warm),
      }))
  );
  return figure({
    title: "Counting, megabytes a second by length of text",
    subtitle: `o200k_base, warm, ${date}; both axes logarithmic, higher is better`,
    legend: [...SHOWN.map((label, i) => ({ label, colour: HUES[i]! })), ...RUNTIME_LEGEND],
    plot: {
      width: 920,
      height: 460,
      marginLeft: 48,
      x: { type: "log", label: "characters", ticks: 4, tickFormat: "~s" },
      y: { type: "log", label: "MB/s", grid: true, tickFormat: "~s", ticks: 5 },
      fx: { axis: null },
      fy: { axis: null },
      color: { domain: SHOWN, range: HUES.slice(0, SHOWN.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        ...["none", "4 3"].map((dash) =>
          line(points.filter((point) => point.dash === dash), {
            x: "size",
            y: "speed",
            z: "line",
            fx: "fx",
            fy: "fy",
            stroke: "engine",
            strokeWidth: 2,
            strokeDasharray: dash,
          })
        ),
        text(TEXT_CLASSES.map((name) => ({ ...place(name), title: CLASS_TITLES[name] })), {
          fx: "fx",
          fy: "fy",
          text: "title",
          frameAnchor: "top",
          dy: -11,
        }),
      ],
    },
  });
}
