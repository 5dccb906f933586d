/** What stands over the image when there is none: loading, problems with a retry, and short notices. */
import type { ViewerProblem } from '../core/problems';
import { make } from './dom';
import { icon } from './icons';

export class Message {
  readonly element = make('div', { class: 'message', hidden: true });
  readonly notices = make('div', { class: 'notices', role: 'status' });

  loading(words: string): void {
    this.element.hidden = false;
    this.element.removeAttribute('role');
    this.element.replaceChildren(make('div', { class: 'box' }, make('div', { class: 'turning', 'aria-hidden': 'true' }), make('p', {}, words)));
  }

  problem(problem: ViewerProblem, retry: () => void): void {
    this.element.hidden = false;
    this.element.setAttribute('role', 'alert');
    const box = make('div', { class: 'box' });
    box.append(icon('alert'), make('h2', {}, problem.title), make('p', {}, problem.message));
    if (problem.canRetry) {
      const button = make('button', { type: 'button', class: 'button' }, 'Retry');
      button.addEventListener('click', retry);
      box.append(button);
    }
    this.element.replaceChildren(box);
  }

  clear(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  notice(words: string, action?: { name: string; act: () => void }): void {
    const close = make('button', { type: 'button', class: 'tool', 'aria-label': 'Close message' });
    close.append(icon('cross'));
    const note = make('div', { class: 'notice' }, make('span', {}, words));
    if (action) {
      const button = make('button', { type: 'button', class: 'button' }, action.name);
      button.addEventListener('click', () => {
        action.act();
        note.remove();
      });
      note.append(button);
    }
    close.addEventListener('click', () => note.remove());
    note.append(close);
    this.notices.append(note);
    while (this.notices.children.length > 3) this.notices.firstElementChild!.remove();
    if (action) setTimeout(() => note.remove(), 8000);
  }
}
