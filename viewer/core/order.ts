/** Orders: of the images of a series, and in which their frames are fetched. */
import { cross, dot, type Point3 } from './geometry';

export interface Sortable {
  instanceNumber: number;
  position: Point3 | null;
  orientation: [Point3, Point3] | null;
}

const isParallel = (a: Point3, b: Point3): boolean => Math.abs(dot(a, b)) > 0.999;

/**
 * By place along the common normal when all images lie in one direction, in the sense that the instance numbers run;
 * otherwise by instance number. Equal places (phases, b-values) keep their instance numbers' order.
 */
export function sortImages<T extends Sortable>(images: readonly T[]): T[] {
  const byNumber = [...images].sort((a, b) => a.instanceNumber - b.instanceNumber);
  const first = byNumber[0];
  if (!first?.orientation) return byNumber;
  const normal = cross(...first.orientation);
  const places = new Map<T, number>();
  for (const image of byNumber) {
    if (!image.position || !image.orientation || !isParallel(normal, cross(...image.orientation))) return byNumber;
    places.set(image, dot(image.position, normal));
  }
  const place = (image: T): number => places.get(image) ?? 0;
  // Several images at one place: a stack of stacks, which only the numbers can order.
  const distinct = new Set([...places.values()].map((value) => value.toFixed(2)));
  if (distinct.size < byNumber.length) return byNumber;
  const last = byNumber.at(-1)!;
  const sense = place(last) >= place(first) ? 1 : -1;
  return byNumber.sort((a, b) => sense * (place(a) - place(b)));
}

/** Indices from `centre` outwards: 5, 6, 4, 7, 3 … */
export function* outwards(centre: number, count: number): Generator<number> {
  if (count <= 0) return;
  const start = Math.min(Math.max(centre, 0), count - 1);
  yield start;
  for (let step = 1; step < count; step++) {
    if (start + step < count) yield start + step;
    if (start - step >= 0) yield start - step;
  }
}

export const middle = (count: number): number => Math.max(0, Math.floor((count - 1) / 2));
