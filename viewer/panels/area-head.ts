/** The line above an image area that says which timepoint stands in it, and lets the reader choose another. */
import type { Timepoint } from '../core/timepoints';
import { make } from './dom';

export class AreaHead {
  readonly element = make('div', { class: 'area-head', hidden: true });
  private readonly choice = make('select', { 'aria-label': 'Timepoint in this area' });
  private readonly current = make('span', { class: 'is-current', hidden: true }, 'current');
  private shown: readonly Timepoint[] = [];

  constructor(choose: (index: number) => void) {
    this.choice.addEventListener('change', () => choose(this.choice.selectedIndex));
    this.element.append(this.choice, this.current);
  }

  show(timepoints: readonly Timepoint[], index: number): void {
    this.element.hidden = timepoints.length < 2;
    if (timepoints !== this.shown) {
      this.shown = timepoints;
      this.choice.replaceChildren(...timepoints.map(({ name, series }) => make('option', { disabled: series.length === 0 }, name)));
    }
    this.choice.selectedIndex = index;
    this.current.hidden = index !== timepoints.length - 1;
  }
}
