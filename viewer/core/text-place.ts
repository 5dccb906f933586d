/** Where the words of a mark stand: beside it, on the image area, and not on words that stand there already. */
import type { Point2 } from './geometry';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Between a mark and its words, and around words. */
const GAP = 14;
const MARGIN = 5;

const overlaps = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width + MARGIN && b.x < a.x + a.width + MARGIN && a.y < b.y + b.height + MARGIN && b.y < a.y + a.height + MARGIN;

/** Right of the mark, left, below or above, then farther down: the first place that is free, else the first that fits. */
export function placeText(points: readonly Point2[], size: { width: number; height: number }, area: { width: number; height: number }, taken: readonly Box[]): Box {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const middle = (top + bottom - size.height) / 2;
  const centre = (left + right - size.width) / 2;
  const places: Point2[] = [];
  for (let step = 0; step < 8; step++) {
    const down = step * (size.height + MARGIN);
    places.push([right + GAP, middle + down], [left - GAP - size.width, middle + down], [right + GAP, middle - down], [left - GAP - size.width, middle - down]);
    places.push([centre, bottom + GAP + down], [centre, top - GAP - size.height - down]);
  }
  const boxes = places.map(([x, y]) => ({ x, y, ...size }));
  const fitting = boxes.filter(({ x, y }) => x >= MARGIN && y >= MARGIN && x + size.width <= area.width - MARGIN && y + size.height <= area.height - MARGIN);
  return fitting.find((box) => !taken.some((other) => overlaps(box, other))) ?? fitting[0] ?? boxes[0]!;
}
