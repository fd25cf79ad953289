/// <reference lib="dom" />
/**
 * A figure: title, legend and an Observable Plot, as one SVG document. Text takes its colour from
 * the reader's colour scheme; the hues are of middle lightness, to be seen on white and on black.
 *
 * @module
 */
import { plot, type PlotOptions } from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** The hues, in the order in which they are given out; the first is ours. */
export const HUES = ["#3b8edb", "#e07b39", "#2fa36b", "#a873d8", "#d6557b", "#8b949e"] as const;

/** What a figure is made of. */
export interface Figure {
  readonly title: string;
  readonly subtitle: string;
  /** What each hue, or dash, stands for. */
  readonly legend: readonly LegendEntry[];
  readonly plot: PlotOptions;
}

/** One entry of a legend. */
export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly dashed?: boolean;
}

const STYLE = `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg { color: #24292f; }
@media (prefers-color-scheme: dark) { svg { color: #d0d7de; } }`;

/** Draws a figure. */
export function figure({ title, subtitle, legend, plot: options }: Figure): string {
  const { document } = parseHTML("<html><body></body></html>");
  const drawing = plot({ ...options, document });
  const width = Number(drawing.getAttribute("width"));
  const height = Number(drawing.getAttribute("height"));
  // Its style is for a page; within this document a group needs none.
  drawing.querySelector("style")?.remove();
  const top = 70;
  const total = height + top;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" ` +
    `height="${total}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    `<g fill="currentColor">`,
    `<text x="8" y="20" font-size="15" font-weight="600">${escape(title)}</text>`,
    `<text x="8" y="38" font-size="11" opacity="0.75">${escape(subtitle)}</text>`,
    ...legendLines(legend),
    "</g>",
    `<g transform="translate(0,${top})" fill="currentColor" font-size="11" text-anchor="middle">`,
    drawing.innerHTML,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function legendLines(legend: readonly LegendEntry[]): string[] {
  let x = 8;
  return legend.map(({ label, colour, dashed }) => {
    const dash = dashed ? ' stroke-dasharray="4 3"' : "";
    const line = `<line x1="${x}" x2="${x + 18}" y1="54" y2="54" stroke="${colour}" ` +
      `stroke-width="3"${dash}/><text x="${x + 24}" y="58" font-size="11">${escape(label)}</text>`;
    // No font is at hand to measure with; this is wide enough for the usual ones.
    x += 40 + Math.round(6.4 * label.length);
    return line;
  });
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The dash of a runtime's lines: Bun's are solid, Deno's dashed. */
export function dashOf(runtime: string): string {
  return runtime.startsWith("Deno") ? "4 3" : "none";
}

/** What the dashes mean, for a legend. */
export const RUNTIME_LEGEND: readonly LegendEntry[] = [
  { label: "Bun", colour: "currentColor" },
  { label: "Deno", colour: "currentColor", dashed: true },
];
