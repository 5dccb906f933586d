/** The frames of a pixel element: where each lies, its stored values, and compressed frames put together again. */
import { frameBytes } from './cover';
import type { Picture } from './messages';
import { packRle, unpackRle } from './rle';

type Bytes = Uint8Array<ArrayBuffer>;

/** First byte of a frame in the pixel element, and the one behind its last. */
export function placeOfFrame(picture: Picture, frame: number): [number, number] {
  if (picture.packed) return picture.packed[frame]!;
  const size = frameBytes(picture);
  return [picture.at + frame * size, picture.at + (frame + 1) * size];
}

/** The stored values of a frame, in bytes of their own or in those that were given; throws when it cannot be read. */
export function unpacked(bytes: Bytes, picture: Picture): Bytes {
  return picture.packed ? unpackRle(bytes, picture) : bytes;
}

/** The frame compressed as it was; throws when its values would not come back. */
export function packed(values: Bytes, picture: Picture): Bytes {
  const bytes = packRle(values, picture);
  const again = unpackRle(bytes, picture);
  if (again.some((value, at) => value !== values[at])) throw new Error('A frame does not survive being compressed again.');
  return bytes;
}

/** A compressed pixel element: its offset table, one fragment a frame, its end (PS3.5 section A.4). */
export function elementOf(frames: Blob[]): Blob {
  const parts: BlobPart[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const frame of frames) {
    const odd = frame.size & 1;
    offsets.push(at);
    parts.push(words(0xe000fffe, frame.size + odd), frame, new Uint8Array(odd));
    at += 8 + frame.size + odd;
  }
  // An offset has 32 bits; an empty table is always allowed.
  const table = at < 2 ** 32 ? words(...offsets) : words();
  const head = Uint8Array.of(0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff);
  return new Blob([head, words(0xe000fffe, table.length), table, ...parts, words(0xe0ddfffe, 0)]);
}

/** As DICOM writes them: a tag has its group first. */
function words(...values: number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, number) => view.setUint32(4 * number, value, true));
  return bytes;
}
