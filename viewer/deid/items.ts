/** What became of the files: one item each, and the groups in which they are shown. */
import type { Told } from './messages';

export interface Item {
  path: string;
  /** Of the new header; empty when the file was refused. */
  head: Blob;
  /** The pixel element as it was: a part of the file itself, or of what it was converted to. */
  pixels: Blob;
  told: Told;
}

/** A box that covers a part of pictures, in pixels from the top left; right and bottom excluded. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** The instance it is for; empty: every picture of the group, as far as it reaches into it. */
  only: string;
}

export type Fill = 'background' | 'black';

export interface Group {
  key: string;
  state: 'clean' | 'look' | 'refused';
  items: Item[];
  boxes: Box[];
  fill: Fill;
  /** A person has said that every picture was looked at. */
  isConfirmed: boolean;
  /** It was saved as it is now. */
  isSaved: boolean;
}

export class Items {
  readonly groups = new Map<string, Group>();
  /** The exams by their new UID, in the order in which they came. */
  readonly exams: string[] = [];
  private readonly instances = new Set<string>();

  constructor(private readonly fill: Fill) {}

  /** The group that an item belongs to: a series by its state, or a reason. */
  add(item: Item): Group {
    if (item.told.state !== 'refused' && this.instances.has(item.told.instance)) item = again(item);
    const { told } = item;
    if (told.state !== 'refused') {
      this.instances.add(told.instance);
      if (!this.exams.includes(told.study)) this.exams.push(told.study);
    }
    const key = told.state === 'refused' ? `refused ${told.code} ${told.reason}` : `${told.state} ${told.series}`;
    let group = this.groups.get(key);
    if (!group) {
      group = { key, state: told.state, items: [], boxes: [], fill: this.fill, isConfirmed: false, isSaved: false };
      this.groups.set(key, group);
    }
    group.items.push(item);
    // A picture that came late was not looked at, nor saved.
    group.isConfirmed = group.isSaved = false;
    return group;
  }

  count(state: Group['state'] | 'all'): number {
    let sum = 0;
    for (const group of this.groups.values()) if (state === 'all' || group.state === state) sum += group.items.length;
    return sum;
  }

  /** Groups whose files may leave the page, as they are now: boxes that change later are not in them. */
  free(): Group[] {
    return [...this.groups.values()].filter(isFree).map((group) => ({ ...group, items: [...group.items] }));
  }

  /** These were saved; what has changed since they were taken was not. */
  saved(taken: Group[]): void {
    for (const { key, items, boxes, fill } of taken) {
      const group = this.groups.get(key);
      if (group && isFree(group) && group.items.length === items.length && group.boxes === boxes && group.fill === fill) group.isSaved = true;
    }
  }

  /** What would be lost now: files that may be saved and were not, and boxes a person drew for nothing. */
  unsaved(): { files: number; boxes: number } {
    const groups = [...this.groups.values()].filter((group) => !group.isSaved);
    return {
      files: groups.filter(isFree).reduce((sum, group) => sum + group.items.length, 0),
      boxes: groups.reduce((sum, group) => sum + group.boxes.length, 0),
    };
  }
}

function isFree(group: Group): boolean {
  return group.state === 'clean' || (group.state === 'look' && group.isConfirmed);
}

function again(item: Item): Item {
  const told: Told = { ...item.told, state: 'refused', code: 'deid.duplicate', reason: 'The same object was among the files already.' };
  return { ...item, told, head: new Blob(), pixels: new Blob() };
}
