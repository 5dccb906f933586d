/**
 * Covers boxes of one frame in its stored values, in place.
 *
 * `background` is the median of the values just around a box, each colour by itself; `black` is what the screen shows as
 * black: the lowest stored value, or the highest where the photometric interpretation turns the scale round.
 */
import type { Box, Fill } from './items';
import type { Picture } from './messages';

/** How far around a box its background is looked for, in pixels. */
const RING = 3;

type Values = Uint8Array | Uint16Array | Int16Array | Int8Array;

export const frameBytes = ({ rows, columns, samples, allocated }: Picture): number => (rows * columns * samples * allocated) / 8;

/** The frame's values as numbers; `bytes` must begin at an even offset. */
export function valuesOf(bytes: Uint8Array<ArrayBuffer>, { allocated, signed }: Picture): Values {
  const size = bytes.length / (allocated / 8);
  if (allocated === 8) return signed ? new Int8Array(bytes.buffer, bytes.byteOffset, size) : bytes;
  return signed ? new Int16Array(bytes.buffer, bytes.byteOffset, size) : new Uint16Array(bytes.buffer, bytes.byteOffset, size);
}

/** Where the value of a sample lies: colours by pixel, or by plane. */
export function placeOf(picture: Picture): (x: number, y: number, sample: number) => number {
  const { columns, rows, samples, planar } = picture;
  if (samples > 1 && planar === 1) return (x, y, sample) => sample * rows * columns + y * columns + x;
  return (x, y, sample) => (y * columns + x) * samples + sample;
}

export function cover(bytes: Uint8Array<ArrayBuffer>, picture: Picture, boxes: Box[], fill: Fill): void {
  const values = valuesOf(bytes, picture);
  const place = placeOf(picture);
  // All backgrounds are taken before anything is covered: what one box hides is no background of another.
  const fills = boxes.map((box) => within(box, picture)).map((box) => ({ box, colour: colourOf(values, picture, box, fill, boxes) }));
  for (const { box, colour } of fills) {
    for (let sample = 0; sample < picture.samples; sample += 1) {
      for (let y = box.top; y < box.bottom; y += 1) {
        for (let x = box.left; x < box.right; x += 1) values[place(x, y, sample)] = colour[sample]!;
      }
    }
  }
}

function within(box: Box, { columns, rows }: Picture): Box {
  return { ...box, left: Math.max(0, box.left), top: Math.max(0, box.top), right: Math.min(columns, box.right), bottom: Math.min(rows, box.bottom) };
}

function colourOf(values: Values, picture: Picture, box: Box, fill: Fill, others: Box[]): number[] {
  const samples = Array.from({ length: picture.samples }, (_, sample) => sample);
  if (fill === 'black') return samples.map((sample) => blackOf(values, picture, sample));
  const place = placeOf(picture);
  const ring = ringOf(box, picture).filter(([x, y]) => !others.some((other) => x >= other.left && x < other.right && y >= other.top && y < other.bottom));
  // A box as large as the picture has nothing around it.
  if (!ring.length) return samples.map((sample) => blackOf(values, picture, sample));
  return samples.map((sample) => {
    const around = ring.map(([x, y]) => values[place(x, y, sample)]!);
    return picture.palette ? mostFrequent(around) : around.sort((one, other) => one - other)[around.length >> 1]!;
  });
}

function ringOf(box: Box, { columns, rows }: Picture): [number, number][] {
  const ring: [number, number][] = [];
  for (let y = Math.max(0, box.top - RING); y < Math.min(rows, box.bottom + RING); y += 1) {
    const isBeside = y >= box.top && y < box.bottom;
    for (let x = Math.max(0, box.left - RING); x < Math.min(columns, box.right + RING); x += 1) {
      if (!isBeside || x < box.left || x >= box.right) ring.push([x, y]);
    }
  }
  return ring;
}

/** Numbers of a palette have no middle. */
function mostFrequent(values: number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

function blackOf(values: Values, picture: Picture, sample: number): number {
  const { colour, palette, signed } = picture;
  if (palette) return darkestOf(palette);
  if (colour === 'YBR_FULL') return sample === 0 ? 0 : 128;
  if (colour === 'RGB') return 0;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (colour === 'MONOCHROME1') return high;
  return signed ? low : 0;
}

function darkestOf({ first, rgb }: { first: number; rgb: string }): number {
  let [best, sum] = [0, Infinity];
  for (let at = 0; at < rgb.length; at += 6) {
    const value = parseInt(rgb.slice(at, at + 2), 16) + parseInt(rgb.slice(at + 2, at + 4), 16) + parseInt(rgb.slice(at + 4, at + 6), 16);
    if (value < sum) [best, sum] = [at / 6, value];
  }
  return first + best;
}
