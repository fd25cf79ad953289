/**
 * Linear regression by least squares, and a lower bound of the slope.
 *
 * @module
 */

/** A regression line. */
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

/** A lower bound of the slope: three standard errors below the estimate. */
export function atLeast({ slope, error }: Line): number {
  return slope - 3 * error;
}
