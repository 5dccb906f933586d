/** One frame of stored values as the screen shows it. */
import { placeOf, valuesOf } from './cover';
import type { Picture } from './messages';

/** `usual`: from the 1st to the 99th percentile; `full`: all values; `faint`: every step of brightness equally often. */
export type Contrast = 'usual' | 'full' | 'faint';

const STEPS = 65_536;

export function draw(bytes: Uint8Array<ArrayBuffer>, picture: Picture, contrast: Contrast): ImageData {
  const image = new ImageData(picture.columns, picture.rows);
  if (picture.palette) paintPalette(image, bytes, picture);
  else if (picture.samples === 3) paintColours(image, bytes, picture);
  else paintGreys(image, bytes, picture, contrast);
  return image;
}

/** The stored values as numbers from nought on, their sign taken into account whatever lies above the stored bits. */
function levelsOf(bytes: Uint8Array<ArrayBuffer>, picture: Picture): Uint16Array {
  const values = valuesOf(bytes, picture);
  const mask = 2 ** picture.stored - 1;
  const half = picture.signed ? 2 ** (picture.stored - 1) : 0;
  const levels = new Uint16Array(values.length);
  for (let at = 0; at < values.length; at += 1) levels[at] = ((values[at]! & mask) + half) & mask;
  return levels;
}

function paintGreys(image: ImageData, bytes: Uint8Array<ArrayBuffer>, picture: Picture, contrast: Contrast): void {
  const levels = levelsOf(bytes, picture);
  const shades = shadesOf(levels, contrast === 'usual' && picture.stored <= 8 ? 'full' : contrast);
  const isTurned = picture.colour === 'MONOCHROME1';
  for (let at = 0; at < levels.length; at += 1) {
    const shade = shades[levels[at]!]!;
    image.data.fill(isTurned ? 255 - shade : shade, at * 4, at * 4 + 3);
    image.data[at * 4 + 3] = 255;
  }
}

function shadesOf(levels: Uint16Array, contrast: Contrast): Uint8ClampedArray {
  const counts = new Uint32Array(STEPS);
  for (const level of levels) counts[level]! += 1;
  const shades = new Uint8ClampedArray(STEPS);
  if (contrast === 'faint') {
    const used = counts.reduce((sum, count) => sum + (count ? 1 : 0), 0);
    let seen = 0;
    let rank = 0;
    // Half by how often a level is there, half by its rank: writing has few pixels, and still its own step.
    for (let level = 0; level < STEPS; level += 1) {
      shades[level] = 127.5 * (seen / levels.length + rank / Math.max(1, used - 1));
      seen += counts[level]!;
      rank += counts[level] ? 1 : 0;
    }
    return shades;
  }
  const share = contrast === 'usual' ? 0.01 : 0;
  const low = levelAt(counts, levels.length * share);
  const high = levelAt(counts, levels.length * (1 - share) - 1);
  for (let level = 0; level < STEPS; level += 1) shades[level] = (255 * (level - low)) / Math.max(1, high - low);
  return shades;
}

function levelAt(counts: Uint32Array, rank: number): number {
  let seen = 0;
  for (let level = 0; level < STEPS; level += 1) {
    seen += counts[level]!;
    if (seen > rank) return level;
  }
  return STEPS - 1;
}

function paintColours(image: ImageData, bytes: Uint8Array<ArrayBuffer>, picture: Picture): void {
  const place = placeOf(picture);
  const isYbr = picture.colour === 'YBR_FULL';
  let to = 0;
  for (let y = 0; y < picture.rows; y += 1) {
    for (let x = 0; x < picture.columns; x += 1, to += 4) {
      const [one, two, three] = [bytes[place(x, y, 0)]!, bytes[place(x, y, 1)]!, bytes[place(x, y, 2)]!];
      // PS3.3 section C.7.6.3.1.2.
      image.data[to] = isYbr ? one + 1.402 * (three - 128) : one;
      image.data[to + 1] = isYbr ? one - 0.344136 * (two - 128) - 0.714136 * (three - 128) : two;
      image.data[to + 2] = isYbr ? one + 1.772 * (two - 128) : three;
      image.data[to + 3] = 255;
    }
  }
}

function paintPalette(image: ImageData, bytes: Uint8Array<ArrayBuffer>, picture: Picture): void {
  const { first, rgb } = picture.palette!;
  const colours = Uint8Array.from(rgb.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const last = colours.length / 3 - 1;
  valuesOf(bytes, picture).forEach((value, at) => {
    const entry = Math.min(last, Math.max(0, value - first)) * 3;
    image.data.set([colours[entry]!, colours[entry + 1]!, colours[entry + 2]!, 255], at * 4);
  });
}
