/** What the page and its workers say to each other. */
import type { Box, Fill } from './items';

/** How a run is set: one recipe, one key, and whom the pictures are of. */
export interface Setting {
  recipe: string;
  /** As in a key file: 64 hexadecimal digits. */
  key: string;
  subject: string;
  /** JSON from local ids to subject codes; empty when all pictures are of one subject. */
  table: string;
}

export interface Recipe {
  name: string;
  version: string;
  digest: string;
  /** Code and meaning of the profile and of each option. */
  codes: [string, string][];
  /** First and last day of the shift of dates; empty when dates are removed. */
  shifts: number[];
  looks: boolean;
  fill: string;
}

/** How the stored values of a picture lie in its pixel element. */
export interface Picture {
  rows: number;
  columns: number;
  frames: number;
  samples: number;
  colour: string;
  planar: number;
  allocated: number;
  stored: number;
  signed: boolean;
  /** Offset of the first value in the pixel element, when it is not compressed. */
  at: number;
  /** Of compressed frames: first byte of each in the pixel element, and the one behind its last. */
  packed: [number, number][] | null;
  palette: { first: number; rgb: string } | null;
}

/** What became of one file. */
export interface Told {
  state: 'clean' | 'look' | 'refused';
  code?: string;
  reason: string;
  study: string;
  series: string;
  instance: string;
  /** The kind of object, such as "CT Image". */
  kind: string;
  /** The pixel element in the file, or in what it was converted to. */
  start: number;
  end: number;
  counts: Record<string, number>;
  picture?: Picture;
}

export interface Cleaned {
  told: Told;
  /** The new header; of a picture that must be looked at it says that it was. */
  head: Uint8Array<ArrayBuffer>;
  /** The pixel element when the file had to be converted; otherwise empty. */
  pixels: Uint8Array<ArrayBuffer>;
}

/** Boxes to be covered in every frame of a pixel element. */
export interface Cover {
  pixels: Blob;
  picture: Picture;
  boxes: Box[];
  fill: Fill;
}

export type Ask =
  | { ask: 'start'; python: string }
  | { ask: 'set'; setting: Setting }
  | { ask: 'clean'; file: Blob }
  | { ask: 'newKey' }
  | { ask: 'checkKey'; text: string }
  | ({ ask: 'cover' } & Cover)
  | { ask: 'crc'; parts: Blob[] };

export type Answer = { id: number; value: unknown } | { id: number; failure: string };
