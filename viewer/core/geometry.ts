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
