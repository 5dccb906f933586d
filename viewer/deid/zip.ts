/**
 * A zip without packing (PKWARE APPNOTE 4.3), made of parts that stay where they are: no picture is copied into memory.
 *
 * Always with 64-bit sizes in the directory where they are needed; names are UTF-8; no time of this computer is told.
 */

export interface Entry {
  path: string;
  parts: Blob[];
  crc: number;
}

const LARGE = 0xffffffff;
const MANY = 0xffff;
/** 1 January 1980, 00:00. */
const DATE = 0x21;

export function zipOf(entries: Entry[]): Blob {
  const parts: Blob[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const entry of entries) {
    const size = entry.parts.reduce((sum, part) => sum + part.size, 0);
    const head = localHead(entry, size);
    parts.push(new Blob([head]), ...entry.parts);
    directory.push(listed(entry, size, at));
    at += head.length + size;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  return new Blob([...parts, ...directory, end(entries.length, at, length)], { type: 'application/zip' });
}

class Writer {
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }

  u16(...values: number[]): this {
    for (const value of values) this.view.setUint16((this.at += 2) - 2, value, true);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.view.setUint32((this.at += 4) - 4, value, true);
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.view.setBigUint64((this.at += 8) - 8, BigInt(value), true);
    return this;
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.bytes;
  }
}

const nameOf = (entry: Entry): Uint8Array => new TextEncoder().encode(entry.path);

function localHead(entry: Entry, size: number): Uint8Array<ArrayBuffer> {
  const name = nameOf(entry);
  const isLarge = size >= LARGE;
  const shown = isLarge ? LARGE : size;
  const writer = new Writer(30 + name.length + (isLarge ? 20 : 0));
  writer.u32(0x04034b50).u16(isLarge ? 45 : 20, 0x0800, 0, 0, DATE).u32(entry.crc, shown, shown).u16(name.length, isLarge ? 20 : 0).put(name);
  if (isLarge) writer.u16(1, 16).u64(size, size);
  return writer.done();
}

function listed(entry: Entry, size: number, at: number): Uint8Array<ArrayBuffer> {
  const name = nameOf(entry);
  const isLarge = size >= LARGE || at >= LARGE;
  const shown = isLarge ? LARGE : size;
  const writer = new Writer(46 + name.length + (isLarge ? 28 : 0));
  writer.u32(0x02014b50).u16(45, isLarge ? 45 : 20, 0x0800, 0, 0, DATE).u32(entry.crc, shown, shown);
  writer.u16(name.length, isLarge ? 28 : 0, 0, 0, 0).u32(0, isLarge ? LARGE : at).put(name);
  if (isLarge) writer.u16(1, 24).u64(size, size, at);
  return writer.done();
}

function end(count: number, at: number, length: number): Uint8Array<ArrayBuffer> {
  const isLarge = count >= MANY || at + length >= LARGE;
  const writer = new Writer(22 + (isLarge ? 76 : 0));
  if (isLarge) {
    writer.u32(0x06064b50).u64(44).u16(45, 45).u32(0, 0).u64(count, count, length, at);
    writer.u32(0x07064b50, 0).u64(at + length).u32(1);
  }
  const many = isLarge ? MANY : count;
  return writer.u32(0x06054b50).u16(0, 0, many, many).u32(isLarge ? LARGE : length, isLarge ? LARGE : at).u16(0).done();
}
