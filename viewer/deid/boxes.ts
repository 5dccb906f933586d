/** The boxes of one group with their history: each change can be undone. */
import type { Box, Group } from './items';

export class Boxes {
  private readonly before: Box[][] = [];

  constructor(
    private readonly group: Group,
    private readonly changed: () => void,
  ) {}

  get all(): Box[] {
    return this.group.boxes;
  }

  get canUndo(): boolean {
    return this.before.length > 0;
  }

  add(box: Box): void {
    this.become([...this.all, box]);
  }

  remove(box: Box): void {
    this.become(this.all.filter((other) => other !== box));
  }

  /** The new box in the place of the old one. */
  replace(box: Box, change: Partial<Box>): Box {
    const next = { ...box, ...change };
    this.become(this.all.map((other) => (other === box ? next : other)));
    return next;
  }

  undo(): void {
    const last = this.before.pop();
    if (!last) return;
    this.group.boxes = last;
    this.settle();
  }

  private become(boxes: Box[]): void {
    this.before.push(this.all);
    this.group.boxes = boxes;
    this.settle();
  }

  /** What was said about other boxes does not hold for these. */
  private settle(): void {
    this.group.isConfirmed = this.group.isSaved = false;
    this.changed();
  }
}

/** Which boxes cover a picture: those for all, and its own. */
export function coversOf(group: Group, instance: string): Box[] {
  return group.boxes.filter((box) => !box.only || box.only === instance);
}

/** A box between two points of the picture, whole pixels, inside it; null when it is too small to be meant. */
export function between(x1: number, y1: number, x2: number, y2: number, columns: number, rows: number): Omit<Box, 'only'> | null {
  const left = Math.max(0, Math.floor(Math.min(x1, x2)));
  const top = Math.max(0, Math.floor(Math.min(y1, y2)));
  const right = Math.min(columns, Math.ceil(Math.max(x1, x2)));
  const bottom = Math.min(rows, Math.ceil(Math.max(y1, y2)));
  return right - left < 3 || bottom - top < 3 ? null : { left, top, right, bottom };
}

/** Moved, or with `isSizing` its right and lower edges moved; it stays inside the picture. */
export function shifted(box: Box, dx: number, dy: number, isSizing: boolean, columns: number, rows: number): Box {
  const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
  if (isSizing) {
    return { ...box, right: clamp(box.right + dx, box.left + 3, columns), bottom: clamp(box.bottom + dy, box.top + 3, rows) };
  }
  const x = clamp(dx, -box.left, columns - box.right);
  const y = clamp(dy, -box.top, rows - box.bottom);
  return { ...box, left: box.left + x, right: box.right + x, top: box.top + y, bottom: box.bottom + y };
}
