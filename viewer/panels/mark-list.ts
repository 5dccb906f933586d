/** The marks of the exam: value, place, whether it is saved; a click goes there. */
import { valueOf } from '../api/marks';
import type { BookMark } from '../core/mark-book';
import { make } from './dom';
import { icon } from './icons';

export interface MarkListActions {
  show(markId: string): void;
  remove(markId: string): void;
  retry(): void;
}

const NAMES = { length: 'Length', bidirectional: 'Two diameters' };

const WORDS: Record<BookMark['state'], string> = { saved: '', saving: 'saving', waiting: 'not saved yet', refused: 'not saved' };

export class MarkList {
  readonly element = make('section', { class: 'marks', 'aria-label': 'Marks', hidden: true });
  private shown = '';

  constructor(
    private readonly actions: MarkListActions,
    private readonly canEdit: boolean,
  ) {}

  fill(marks: readonly BookMark[], placeOf: (mark: BookMark) => string, chosen: string | null): void {
    this.element.hidden = marks.length === 0;
    // Built again only when it would differ: a button must not vanish under a finger that presses it.
    const look = JSON.stringify([marks.map((mark) => [mark, placeOf(mark)]), chosen]);
    if (look === this.shown) return;
    this.shown = look;
    const list = make('ul', {});
    for (const mark of marks) {
      const value = mark.saved && mark.state === 'saved' ? valueOf(mark.saved) : NAMES[mark.geometry.kind];
      const state = make('span', { class: `state state-${mark.state}` }, WORDS[mark.state]);
      if (mark.message) state.title = mark.message;
      const go = make(
        'button',
        { type: 'button', class: 'go', title: 'Show on the image' },
        make('span', { class: 'value' }, mark.geometry.label ? `${mark.geometry.label}  ${value}` : value),
        make('span', { class: 'place' }, placeOf(mark), ' ', state),
      );
      if (mark.markId === chosen) go.setAttribute('aria-current', 'true');
      go.addEventListener('click', () => this.actions.show(mark.markId));
      const row = make('li', {}, go);
      if (mark.state === 'refused' || mark.state === 'waiting') {
        const retry = make('button', { type: 'button', class: 'tool', title: 'Save again', 'aria-label': 'Save mark again' });
        retry.append(icon('refresh'));
        retry.addEventListener('click', () => this.actions.retry());
        row.append(retry);
      }
      if (this.canEdit) {
        const remove = make('button', { type: 'button', class: 'tool', title: 'Remove mark', 'aria-label': `Remove mark ${value}` });
        remove.append(icon('trash'));
        remove.addEventListener('click', () => this.actions.remove(mark.markId));
        row.append(remove);
      }
      list.append(row);
    }
    this.element.replaceChildren(make('h2', {}, `Marks`, make('span', { class: 'count' }, String(marks.length))), list);
  }
}
