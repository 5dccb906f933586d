/** The keys and buttons, on one screen. */
import { make } from './dom';

const KEYS: [string, string][] = [
  ['Wheel, ↑ ↓', 'Previous, next image'],
  ['Page Up, Page Down', 'Ten images'],
  ['Home, End', 'First, last image'],
  ['[ ]', 'Previous, next series'],
  ['1 … 6', 'Window: file, soft tissue, lung, bone, brain, abdomen'],
  ['W S Z P', 'Left button: window, scroll, zoom, pan'],
  ['Middle, right button', 'Pan, zoom'],
  ['+ −', 'Zoom in, out'],
  ['I', 'Invert'],
  ['F', 'Fit to window'],
  ['R', 'Reset window, zoom and place'],
  ['V', 'Show or hide the series list'],
  ['K', 'Scroll both timepoints together'],
  ['O', 'Work on the other timepoint'],
  ['D', 'One timepoint alone, or both'],
  ['Shift + letter', 'Show or hide a layer of marks'],
];
const MARK_KEYS: [string, string][] = [
  ['L', 'Measure a length'],
  ['B', 'Measure two diameters: draw the long one, then drag the ends of the short one'],
  ['Enter', 'Take the short diameter as it is proposed'],
  ['Delete', 'Remove the chosen mark'],
  ['Esc', 'Stop measuring'],
];

export class Help {
  readonly element: HTMLDialogElement;

  constructor(canMeasure: boolean) {
    const close = make('button', { type: 'button', class: 'button' }, 'Close');
    const rows = [...KEYS, ...(canMeasure ? MARK_KEYS : [])];
    this.element = make(
      'dialog',
      { class: 'help', 'aria-label': 'Keys of the viewer' },
      make('h2', {}, 'Keys'),
      make('dl', {}, ...rows.flatMap(([key, does]) => [make('dt', {}, key), make('dd', {}, does)])),
      close,
    );
    close.addEventListener('click', () => this.element.close());
  }

  toggle(): void {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }
}
