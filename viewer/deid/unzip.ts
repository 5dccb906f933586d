/** The files in a zip, by its central directory (PKWARE APPNOTE 4.3); stored and deflated ones. */
import type { Found } from './intake';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LONGEST_COMMENT = 65_557;
const NOT_HERE = 0xffffffff;
/** More would not fit into a page's memory once it is unpacked. */
const MOST_INFLATED = 4 * 1024 ** 3;

async function view(file: Blob, start: number, end: number): Promise<DataView> {
  return new DataView(await file.slice(start, end).arrayBuffer());
}

async function directory(file: Blob): Promise<[start: number, size: number]> {
  const from = Math.max(0, file.size - LONGEST_COMMENT);
  const tail = await view(file, from, file.size);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new Error('no directory');
  const [size, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (at >= 20 && tail.getUint32(at - 20, true) === LOCATOR_64) {
    const where = Number(tail.getBigUint64(at - 12, true));
    const end = await view(file, where, where + 56);
    if (end.getUint32(0, true) !== END_64) throw new Error('no directory');
    return [Number(end.getBigUint64(48, true)), Number(end.getBigUint64(40, true))];
  }
  return [start, size];
}

export async function entriesOf(file: Blob): Promise<Found[]> {
  const [start, length] = await directory(file);
  const list = await view(file, start, start + length);
  const found: Found[] = [];
  let inflated = 0;
  for (let at = 0; at + 46 <= list.byteLength && list.getUint32(at, true) === ENTRY; ) {
    const [flags, method] = [list.getUint16(at + 8, true), list.getUint16(at + 10, true)];
    const [name, extra, comment] = [list.getUint16(at + 28, true), list.getUint16(at + 30, true), list.getUint16(at + 32, true)];
    const path = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, name));
    const sizes = sizesOf(list, at, at + 46 + name, extra);
    at += 46 + name + extra + comment;
    if (path.endsWith('/')) continue;
    if (flags & 1 || (method !== 0 && method !== 8)) throw new Error('encrypted, or packed in a way that browsers do not know');
    inflated += method ? sizes.whole : 0;
    if (inflated > MOST_INFLATED) throw new Error('too much for a page');
    const head = await view(file, sizes.at, sizes.at + 30);
    const from = sizes.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    const packed = file.slice(from, from + sizes.packed);
    found.push({ path, file: method ? await inflate(packed, sizes.whole) : packed });
  }
  return found;
}

interface Sizes { whole: number; packed: number; at: number }

function sizesOf(list: DataView, at: number, extra: number, length: number): Sizes {
  const sizes = { whole: list.getUint32(at + 24, true), packed: list.getUint32(at + 20, true), at: list.getUint32(at + 42, true) };
  for (let field = extra; field + 4 <= extra + length; field += 4 + list.getUint16(field + 2, true)) {
    if (list.getUint16(field, true) !== 1) continue;
    let value = field + 4;
    for (const name of ['whole', 'packed', 'at'] as const) {
      if (sizes[name] !== NOT_HERE) continue;
      sizes[name] = Number(list.getBigUint64(value, true));
      value += 8;
    }
  }
  return sizes;
}

/** Stops at the size that the directory tells: a zip that unpacks to more is none. */
async function inflate(packed: Blob, size: number): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value as Uint8Array<ArrayBuffer>);
    length += next.value.length;
    if (length > size) throw new Error('longer than it says');
  }
  return new Blob(parts);
}
