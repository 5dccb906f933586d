/**
 * Frames in DICOM's run lengths: one segment for each byte of a sample, the most significant first (PS3.5 annex G).
 *
 * Unpacked, colours lie plane by plane, whatever the header says of planes.
 */
import type { Picture } from './messages';

type Bytes = Uint8Array<ArrayBuffer>;
type Shape = Pick<Picture, 'rows' | 'columns' | 'samples' | 'allocated'>;

const HEAD = 64;

/** Where the bytes of a segment lie among the stored values, little endian. */
function strideOf({ rows, columns, allocated }: Shape, segment: number): { first: number; step: number; count: number } {
  const step = allocated / 8;
  const count = rows * columns;
  return { first: Math.floor(segment / step) * count * step + step - 1 - (segment % step), step, count };
}

/** Throws when the frame is not what the header says. */
export function unpackRle(bytes: Bytes, shape: Shape): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const segments = (shape.samples * shape.allocated) / 8;
  if (bytes.length < HEAD || view.getUint32(0, true) !== segments) throw new RangeError('Another number of segments.');
  const out = new Uint8Array(shape.rows * shape.columns * segments);
  for (let segment = 0; segment < segments; segment += 1) {
    const end = segment + 1 < segments ? view.getUint32(4 * segment + 8, true) : bytes.length;
    unpackSegment(bytes, view.getUint32(4 * segment + 4, true), end, out, strideOf(shape, segment));
  }
  return out;
}

function unpackSegment(bytes: Bytes, from: number, end: number, out: Bytes, { first, step, count }: ReturnType<typeof strideOf>): void {
  let done = 0;
  while (done < count) {
    if (from + 1 >= end || end > bytes.length) throw new RangeError('A segment is cut.');
    const mark = bytes[from++]!;
    // PS3.5 section G.3.2: nothing.
    if (mark === 128) continue;
    const length = Math.min(mark < 128 ? mark + 1 : 257 - mark, count - done);
    for (let n = 0; n < length; n += 1, done += 1) out[first + done * step] = bytes[mark < 128 ? from + n : from]!;
    from += mark < 128 ? mark + 1 : 1;
  }
}

export function packRle(values: Bytes, shape: Shape): Bytes {
  const segments: Bytes[] = [];
  for (let segment = 0; segment < (shape.samples * shape.allocated) / 8; segment += 1) segments.push(packSegment(values, shape, segment));
  const out = new Uint8Array(HEAD + segments.reduce((sum, segment) => sum + segment.length, 0));
  const view = new DataView(out.buffer);
  view.setUint32(0, segments.length, true);
  let at = HEAD;
  segments.forEach((segment, number) => {
    view.setUint32(4 * number + 4, at, true);
    out.set(segment, at);
    at += segment.length;
  });
  return out;
}

/** Row by row: a run never reaches into the next (PS3.5 section G.3.1). */
function packSegment(values: Bytes, shape: Shape, segment: number): Bytes {
  const { first, step } = strideOf(shape, segment);
  const { rows, columns } = shape;
  // A row of nothing but literals has one byte more for every 128.
  const out = new Uint8Array(rows * (columns + Math.ceil(columns / 128)) + 1);
  const row = new Uint8Array(columns);
  let to = 0;
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) row[x] = values[first + (y * columns + x) * step]!;
    to = packRow(row, out, to);
  }
  return out.slice(0, to + (to & 1));
}

function runAt(row: Bytes, at: number): number {
  let end = at + 1;
  while (end < row.length && end - at < 128 && row[end] === row[at]) end += 1;
  return end - at;
}

function packRow(row: Bytes, out: Bytes, to: number): number {
  for (let at = 0; at < row.length; ) {
    const run = runAt(row, at);
    if (run > 2) {
      out[to++] = 257 - run;
      out[to++] = row[at]!;
      at += run;
      continue;
    }
    let end = at;
    while (end < row.length && end - at < 128 && runAt(row, end) < 3) end += 1;
    out[to++] = end - at - 1;
    out.set(row.subarray(at, end), to);
    to += end - at;
    at = end;
  }
  return to;
}
