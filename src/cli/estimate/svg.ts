/**
 * A histogram as a bar chart in SVG.
 *
 * @module
 */
import type { Distribution } from "../../corpus/estimate/distribution.ts";

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 16;
const TOP = 48;
const BOTTOM = 56;

/** The picture of a distribution. */
export function svgOf(distribution: Distribution, title: string): string {
  const { histogram, p50, p90, p99, max } = distribution;
  const most = Math.max(...histogram.map(({ count }) => count), 1);
  const step = (WIDTH - 2 * LEFT) / Math.max(histogram.length, 1);
  const room = HEIGHT - TOP - BOTTOM;
  const bars = histogram.map(({ from, to, count }, i) => {
    const height = round(room * count / most);
    const x = round(LEFT + i * step);
    const middle = round(LEFT + (i + 0.5) * step);
    const y = round(HEIGHT - BOTTOM - height);
    const range = from === to ? `${from}` : `${from} to ${to}`;
    return `  <rect x="${x}" y="${y}" width="${
      round(step - 2)
    }" height="${height}" fill="#4269d0">` +
      `<title>${range} tokens: ${count}</title></rect>
  <text x="${middle}" y="${y - 4}">${count === 0 ? "" : short(count)}</text>
  <text x="${middle}" y="${HEIGHT - BOTTOM + 16}">${short(from)}</text>`;
  });
  const summary = [["p50", p50], ["p90", p90], ["p99", p99], ["max", max]]
    .map(([name, tokens]) => `${name} ${tokens!.toLocaleString("en-US")}`).join(" · ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="11" ` +
    `text-anchor="middle" role="img">
  <rect width="100%" height="100%" fill="white"/>
  <text x="${LEFT}" y="20" text-anchor="start" font-size="14">${escaped(title)}</text>
  <text x="${LEFT}" y="36" text-anchor="start" fill="#555">${summary}</text>
${bars.join("\n")}
  <text x="${WIDTH / 2}" y="${HEIGHT - 12}">tokens, from</text>
</svg>
`;
}

function round(length: number): number {
  return Math.round(100 * length) / 100;
}

/** A count in few characters: 1,234,567 is 1.2M. */
function short(count: number): string {
  return new Intl.NumberFormat("en-US", { notation: "compact" }).format(count);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
