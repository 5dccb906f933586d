/** What the page and the server say to each other about a form. */

/** One change of one item; null empties it. A measured value is named by its mark, never sent. */
export type Change = { text: string } | { absent: string } | { mark_id: string } | null;

/** One operation: all its changes or none. `base` is set when it is first sent and kept for a second try. */
export interface Operation {
  op_id: string;
  /** The revision the page showed when the change was made. */
  seen: number;
  base: number | null;
  changes: Record<string, Change>;
}

/** How one item looks after a save. */
export interface ItemLook {
  absent: string;
  length: string;
  mark_id: string;
  required: boolean;
  text: string;
  told: string;
  visible: boolean;
}

export interface Saved {
  revision: number;
  saved_at: string;
  items: Record<string, ItemLook>;
  /** How many items still stop a submission. */
  open: number;
}
