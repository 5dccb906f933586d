/** The keys and buttons, on one screen: those that do something in what is shown now. */
import { make } from './dom';

export type KeyRow = readonly [keys: string, does: string];

export interface HelpFacts {
  canMeasure: boolean;
  /** By number key. */
  presets: readonly { key: string; name: string }[];
  hasTwoAreas: boolean;
  /** Letters that switch a layer, with Shift. */
  layerKeys: readonly string[];
}

function imageRows({ presets, hasTwoAreas, layerKeys }: HelpFacts): KeyRow[] {
  const numbers: KeyRow = [`${presets[0]?.key ?? ''} … ${presets.at(-1)?.key ?? ''}`, `Window: ${presets.map(({ name }) => name.toLowerCase()).join(', ')}`];
  const two: KeyRow[] = [
    ['K', 'Scroll both timepoints together'],
    ['O', 'Work on the other timepoint'],
    ['D', 'One timepoint alone, or both'],
  ];
  const layers: KeyRow = [layerKeys.map((key) => `Shift ${key}`).join(', '), 'Show or hide a layer of marks'];
  return [
    ['Wheel, arrows', 'Previous, next image'],
    ['Page Up, Page Down', 'Ten images'],
    ['Home, End', 'First, last image'],
    ['[ ]', 'Previous, next series'],
    ...(presets.length > 1 ? [numbers] : []),
    ['W S Z P', 'Left button: window, scroll, zoom, pan'],
    ['Middle, right button', 'Pan, zoom'],
    ['+ −, Ctrl wheel', 'Zoom in, out'],
    ['I', 'Invert'],
    ['F', 'Fit to window'],
    ['R', 'Reset window, zoom and place'],
    ['V', 'Show or hide the series list'],
    ...(hasTwoAreas ? two : []),
    ...(layerKeys.length > 0 ? [layers] : []),
  ];
}

const MARK_ROWS: KeyRow[] = [
  ['L', 'Measure a length'],
  ['B', 'Measure two diameters: drag the long one, then the short one across it'],
  ['Enter', 'Keep the short diameter as it is proposed'],
  ['Delete, Backspace', 'Remove the chosen mark'],
  ['Esc', 'Stop measuring'],
];

const section = (name: string, rows: readonly KeyRow[]): HTMLElement =>
  make('section', {}, make('h3', {}, name), make('dl', {}, ...rows.flatMap(([keys, does]) => [make('dt', {}, keys), make('dd', {}, does)])));

export class Help {
  readonly element = make('dialog', { class: 'help', 'aria-label': 'Keys' });
  private readonly body = make('div', { class: 'help-body' });
  /** What the page around the viewer adds, by the name of its section. */
  private others: readonly [string, readonly KeyRow[]][] = [];

  constructor(private readonly facts: () => HelpFacts) {
    const close = make('button', { type: 'button', class: 'button' }, 'Close');
    this.element.append(make('h2', {}, 'Keys'), this.body, close);
    close.addEventListener('click', () => this.element.close());
  }

  explain(name: string, rows: readonly KeyRow[]): void {
    this.others = [...this.others, [name, rows]];
  }

  toggle(): void {
    if (this.element.open) {
      this.element.close();
      return;
    }
    const facts = this.facts();
    const sections: [string, readonly KeyRow[]][] = [['Images', imageRows(facts)], ...(facts.canMeasure ? [['Measuring', MARK_ROWS] as [string, KeyRow[]]] : []), ...this.others];
    this.body.replaceChildren(...sections.map(([name, rows]) => section(name, rows)));
    this.element.showModal();
  }
}
