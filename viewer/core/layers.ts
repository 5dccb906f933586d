/** Marks of others, in named sets that the reader switches on and off. */
import type { Layer, Measured } from '../api/marks';

export interface ShownLayer {
  name: string;
  marks: readonly Measured[];
  /** From 0; decides the colour and the dashes. */
  place: number;
  /** Stands beside each mark on the image; empty where the name is long. */
  sign: string;
  /** With Shift: on and off. Empty where no letter of the name is free. */
  key: string;
  isShown: boolean;
}

const LONGEST_SIGN = 2;

export class LayerSet {
  all: ShownLayer[] = [];

  fill(layers: readonly Layer[]): void {
    const taken = new Set<string>();
    this.all = layers.map(({ name, marks }, place) => {
      const key = [...name.toUpperCase()].find((letter) => /^[A-Z]$/.test(letter) && !taken.has(letter)) ?? '';
      taken.add(key);
      return { name, marks, place, sign: name.length <= LONGEST_SIGN ? name : '', key, isShown: true };
    });
  }

  find(markId: string): { layer: ShownLayer; mark: Measured } | null {
    for (const layer of this.all) {
      const mark = layer.marks.find((each) => each.mark_id === markId);
      if (mark) return { layer, mark };
    }
    return null;
  }

  byKey(key: string): ShownLayer | undefined {
    return this.all.find((layer) => layer.key === key);
  }

  show(name: string, isShown: boolean): ShownLayer | undefined {
    const layer = this.all.find((each) => each.name === name);
    if (layer) layer.isShown = isShown;
    return layer;
  }
}
