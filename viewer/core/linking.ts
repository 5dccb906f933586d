/**
 * Which image of another series belongs to the one on the screen, when two areas scroll together.
 *
 * In one frame of reference it is the image nearest in the patient. Otherwise the distance that the two images had when
 * they were linked is kept: in millimetres along the slices where both series lie alike, else in images.
 */
import { cross, dot, type Point3 } from './geometry';
import type { ImageInfo } from './images';

/** Slices count as parallel up to some 18 degrees. */
const PARALLEL = 0.95;

export type Offset = { by: 'mm' | 'images'; distance: number };

const normalOf = (image: ImageInfo | undefined): Point3 | null => (image?.orientation ? cross(...image.orientation) : null);

const depthOf = (image: ImageInfo, normal: Point3): number | null => (image.position ? dot(image.position, normal) : null);

/** The direction of the slices, where both images are placed in space and lie alike. */
function sharedNormal(a: ImageInfo | undefined, b: ImageInfo | undefined): Point3 | null {
  const [normal, other] = [normalOf(a), normalOf(b)];
  return normal && other && a!.position && b!.position && Math.abs(dot(normal, other)) > PARALLEL ? normal : null;
}

/** What lies between two images now, to be kept while both are scrolled. */
export function offsetBetween(from: readonly ImageInfo[], index: number, to: readonly ImageInfo[], other: number): Offset {
  const [a, b] = [from[index], to[other]];
  const normal = sharedNormal(a, b);
  if (!normal) return { by: 'images', distance: other - index };
  const isSameSpace = a!.frameOfReferenceUid !== '' && a!.frameOfReferenceUid === b!.frameOfReferenceUid;
  return { by: 'mm', distance: isSameSpace ? 0 : depthOf(b!, normal)! - depthOf(a!, normal)! };
}

/** The index in `to` that belongs to `from[index]`. */
export function follow(from: readonly ImageInfo[], index: number, to: readonly ImageInfo[], offset: Offset): number {
  const image = from[index];
  const normal = offset.by === 'mm' ? sharedNormal(image, to[0]) : null;
  const depth = image && normal ? depthOf(image, normal) : null;
  if (!normal || depth === null) return Math.min(Math.max(index + (offset.by === 'images' ? offset.distance : 0), 0), to.length - 1);
  let best = 0;
  let least = Infinity;
  to.forEach((each, at) => {
    const there = depthOf(each, normal);
    const away = there === null ? Infinity : Math.abs(there - depth - offset.distance);
    if (away < least) [best, least] = [at, away];
  });
  return best;
}
