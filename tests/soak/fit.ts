/**
 * A straight line through samples, by least squares, and what growth of it is beyond doubt.
 *
 * @module
 */

/** A line, and how far its slope may be off. */
export interface Line {
  readonly slope: number;
  /** The standard error of the slope. */
  readonly error: number;
}

/** The line through points, by least squares. Fewer than three points have no slope. */
export function fit(points: readonly (readonly [number, number])[]): Line {
  const n = points.length;
  if (n < 3) return { slope: 0, error: Infinity };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  let [xx, xy] = [0, 0];
  for (const [x, y] of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  if (xx === 0) return { slope: 0, error: Infinity };
  const slope = xy / xx;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (n - 2) / xx) };
}

/** The least that the slope is, all but surely: three standard errors below what it seems. */
export function atLeast({ slope, error }: Line): number {
  return slope - 3 * error;
}
