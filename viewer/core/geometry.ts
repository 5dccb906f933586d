/**
 * Image and patient coordinates, plainly.
 *
 * Patient coordinates are millimetres in DICOM's LPS system. Image coordinates are [column, row] in pixels, zero at the
 * centre of the first pixel. Source: DICOM PS3.3 C.7.6.2.1.1.
 */
export type Point3 = [number, number, number];
export type Point2 = [number, number];

export interface Plane {
  position: Point3;
  /** Direction of increasing column (along a row), then of increasing row. */
  alongRow: Point3;
  alongColumn: Point3;
  /** [between rows, between columns] in millimetres, as Pixel Spacing. */
  spacing: Point2;
}

export const dot = (a: Point3, b: Point3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export const cross = (a: Point3, b: Point3): Point3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export const minus = (a: Point3, b: Point3): Point3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

export function toImage(plane: Plane, point: Point3): Point2 {
  const from = minus(point, plane.position);
  return [dot(from, plane.alongRow) / plane.spacing[1], dot(from, plane.alongColumn) / plane.spacing[0]];
}

export function toPatient(plane: Plane, [column, row]: Point2): Point3 {
  const x = column * plane.spacing[1];
  const y = row * plane.spacing[0];
  return [0, 1, 2].map((i) => plane.position[i]! + plane.alongRow[i]! * x + plane.alongColumn[i]! * y) as Point3;
}

const along = (from: Point3, direction: Point3, size: number): Point3 => [0, 1, 2].map((i) => from[i]! + direction[i]! * size) as Point3;

const length = (vector: Point3): number => Math.hypot(...vector);

const unit = (vector: Point3): Point3 => vector.map((part) => part / length(vector)) as Point3;

/** Keeps a short diameter off the very ends of the long one. */
const within = (at: number, size: number): number => Math.min(Math.max(at, 0.02 * size), 0.98 * size);

/**
 * The short diameter that a drag across the long one means: at a right angle, as wide as the drag is across, where the drag
 * crosses. Null when it passes the long one by; `slack` is how near counts as crossing, mm.
 */
export function shortAcross([a, b]: readonly [Point3, Point3], [start, end]: readonly [Point3, Point3], slack: number): [Point3, Point3] | null {
  const way = unit(minus(b, a));
  const size = length(minus(b, a));
  const drag = minus(end, start);
  const across = along(drag, way, -dot(drag, way));
  if (length(across) < slack) return null;
  const side = unit(across);
  const [from, to] = [dot(minus(start, a), side), dot(minus(end, a), side)];
  if (from > slack || to < -slack) return null;
  const crossed = dot(minus(start, a), way) + (dot(drag, way) * Math.max(-from, 0)) / (to - from);
  if (crossed < -slack || crossed > size + slack) return null;
  const middle = along(a, way, within(crossed, size));
  return [along(middle, side, Math.min(from, 0)), along(middle, side, Math.max(to, 0))];
}

/** The short diameter when one end is dragged and the other keeps its width; null once the end is dragged over the long one. */
export function gripped([a, b]: readonly [Point3, Point3], kept: Point3, end: Point3): [Point3, Point3] | null {
  const way = unit(minus(b, a));
  const widthOf = (point: Point3): Point3 => along(minus(point, a), way, -dot(minus(point, a), way));
  const [mine, other] = [widthOf(end), widthOf(kept)];
  if (dot(mine, other) >= 0) return null;
  const middle = along(a, way, within(dot(minus(end, a), way), length(minus(b, a))));
  return [along(middle, mine, 1), along(middle, other, 1)];
}

/** Letters of a direction: the axes it follows, strongest first, at most three; weak ones are left out. */
export function letters(direction: Point3): string {
  const names: [string, string][] = [
    ['L', 'R'],
    ['P', 'A'],
    ['H', 'F'],
  ];
  return direction
    .map((part, axis) => ({ size: Math.abs(part), letter: names[axis]![part > 0 ? 0 : 1] }))
    .filter(({ size }) => size > 0.25)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

export const opposite = (word: string): string =>
  [...word].map((letter) => ({ L: 'R', R: 'L', P: 'A', A: 'P', H: 'F', F: 'H' })[letter] ?? letter).join('');
