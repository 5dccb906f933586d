/** What the page and the server say to each other about a form. */

/** One change at one path. Null empties an item; a measured value is named by its mark, never sent; a row is added or struck. */
export type Change = { text: string } | { absent: string } | { mark_id: string } | { row: 'present' | 'struck' } | null;

/** One operation: all its changes or none. `base` is set when it is first sent and kept for a second try. */
export interface Operation {
  op_id: string;
  /** The revision the page showed when the change was made. */
  seen: number;
  base: number | null;
  changes: Record<string, Change>;
}

/** How one item looks after a save. `shown` is the value in words, of an item that nobody types. */
export interface ItemLook {
  absent: string;
  mark_id: string;
  required: boolean;
  shown: string;
  text: string;
  told: string;
  visible: boolean;
}

/** How one row of a group looks after a save. */
export interface RowLook {
  number: number;
  struck: boolean;
}

/** What is said of a group, or of the whole form. */
export interface PartLook {
  told: string;
  visible: boolean;
}

export interface Saved {
  revision: number;
  saved_at: string;
  /** By path: of an item, a row, a group; the empty path is the whole form. */
  items: Record<string, ItemLook | RowLook | PartLook>;
  /** How many items still stop a submission. */
  open: number;
  /** Whether images came that this page does not show. */
  late_images: boolean;
}
