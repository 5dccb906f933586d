/** One line at the foot of an image area: what a measurement that is begun waits for. */
import { make } from './dom';

export class Hint {
  readonly element = make('div', { class: 'hint', role: 'status' });

  show(words: string): void {
    if (this.element.textContent !== words) this.element.textContent = words;
  }
}
