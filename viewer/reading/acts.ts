/** Submit, sign and correct: each waits until all is saved, asks the server, and loads the page again when it is done. */
import type { Fields } from './fields';
import type { Queue } from './queue';
import { post, Refusal } from './request';
import { SaveState } from './save-state';

export class Acts {
  constructor(
    private readonly root: HTMLElement,
    private readonly api: string,
  ) {}

  /** The dialogs of a submitted read. */
  listen(): void {
    for (const form of document.querySelectorAll<HTMLFormElement>('form[data-act]')) {
      form.addEventListener('submit', (event) => {
        event.preventDefault();
        void this.act(form);
      });
    }
  }

  /** The button of a draft. */
  submit(queue: Queue, fields: Fields): void {
    const button = this.root.querySelector<HTMLButtonElement>('[data-submit]');
    button?.addEventListener('click', () => void this.submitNow(button, queue, fields));
  }

  private async submitNow(button: HTMLButtonElement, queue: Queue, fields: Fields): Promise<void> {
    const state = new SaveState(this.root);
    button.disabled = true;
    try {
      fields.flush(queue);
      await queue.settled();
      await post(`${this.api}submit`, { revision: queue.shownRevision });
      location.reload();
      return;
    } catch (error) {
      if (error instanceof Refusal) this.told(error, state, fields);
      else if (!(error instanceof Error && error.message === 'stopped')) state.say(this.words('unreachable'), 'refused');
    }
    button.disabled = false;
  }

  private told(refusal: Refusal, state: SaveState, fields: Fields): void {
    if (refusal.code === 'forms.entry.stale') {
      state.stale();
      return;
    }
    state.say(refusal.message, 'refused', refusal.code === 'forms.entry.incomplete' ? '' : refusal.reference);
    const problems = refusal.body['problems'];
    const items = refusal.body['items'];
    const names = Array.isArray(items) ? items.map(String) : Object.keys((problems ?? {}) as object);
    for (const missing of this.root.querySelectorAll('.item-missing')) missing.classList.add('item-problem');
    for (const part of this.root.querySelectorAll('.is-asked')) part.classList.remove('is-asked');
    for (const name of names) fields.part(name)?.classList.add('is-asked');
    const first = names.map((name) => fields.part(name)).find((part) => part !== null);
    const control = first?.querySelector<HTMLElement>('input:not([disabled]), select, textarea, button');
    (control ?? first)?.scrollIntoView({ block: 'nearest' });
    control?.focus();
  }

  private async act(form: HTMLFormElement): Promise<void> {
    const button = form.querySelector<HTMLButtonElement>('button.btn-primary');
    const problem = form.querySelector('[data-problem]');
    const wanted = form.dataset['act'] === 'sign' ? ['password', 'digest'] : ['reason'];
    const data = new FormData(form);
    const body = Object.fromEntries(wanted.map((name) => [name, String(data.get(name) ?? '')]));
    if (button) button.disabled = true;
    if (problem) problem.textContent = '';
    try {
      await post(`${this.api}${form.dataset['act'] ?? ''}`, body);
      location.reload();
      return;
    } catch (error) {
      if (problem) problem.textContent = error instanceof Refusal ? error.message : this.words('unreachable');
    }
    if (button) button.disabled = false;
    const password = form.querySelector<HTMLInputElement>('input[type="password"]');
    if (password) password.value = '';
    (password ?? form.querySelector<HTMLElement>('textarea'))?.focus();
  }

  private words(name: string): string {
    return document.querySelector<HTMLElement>('[data-words]')?.dataset[name] ?? '';
  }
}
