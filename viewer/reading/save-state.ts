/** Says, at one place, whether everything is saved, and what to do when it is not. */
import type { Refusal } from './request';

export class SaveState {
  private readonly line: HTMLElement | null;
  private readonly told: HTMLElement | null;
  private readonly late: HTMLElement | null;
  private readonly words: DOMStringMap;
  /** What the line said before a mark could not be saved. */
  private before = '';

  constructor(root: HTMLElement) {
    this.line = root.querySelector('[data-saving]');
    this.told = root.querySelector('[data-told]');
    this.late = root.querySelector('[data-late-images]');
    this.late?.querySelector('[data-load-again]')?.addEventListener('click', () => location.reload());
    this.words = document.querySelector<HTMLElement>('[data-words]')?.dataset ?? {};
  }

  saving(): void {
    this.write(this.words['savingNow'] ?? '', false);
  }

  saved(at: string): void {
    const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    this.write(`${this.words['saved'] ?? ''} ${time}`, false);
    if (['refused', 'failed'].includes(this.told?.dataset['kind'] ?? '')) this.told!.hidden = true;
  }

  /** Images came that this page does not show; once said it stays said. */
  lateImages(): void {
    if (this.late) this.late.hidden = false;
  }

  /** Once more it was not saved; from the second time on also said above the form, with what is safe. */
  failed(times: number, tryNow: () => void): void {
    this.write(this.words['failed'] ?? '', true);
    if (times === 2) this.say(this.words['kept'] ?? '', 'failed', '', this.words['tryNow'] ?? '', tryNow);
  }

  /** The marks on the images have a queue of their own. */
  marks(state: string): void {
    const isFailed = state === 'failed';
    if (!this.line || isFailed === Boolean(this.before)) return;
    const before = this.line.textContent || ' ';
    this.write(isFailed ? (this.words['marksFailed'] ?? '') : this.before.trim(), isFailed);
    this.before = isFailed ? before : '';
  }

  refused(refusal: Refusal, items: string[]): void {
    this.write(this.words['refused'] ?? '', true);
    this.say(refusal.message, 'refused', refusal.reference);
    document.querySelector<HTMLElement>(`[data-item="${CSS.escape(items[0] ?? '')}"]`)?.scrollIntoView({ block: 'nearest' });
  }

  stale(): void {
    this.write(this.words['refused'] ?? '', true);
    this.say(this.words['stale'] ?? '', 'stale', '', this.words['reload'] ?? '', () => location.reload());
    this.lock();
  }

  sessionEnded(): void {
    this.write(this.words['refused'] ?? '', true);
    const here = encodeURIComponent(location.pathname);
    this.say(this.words['session'] ?? '', 'session', '', this.words['signIn'] ?? '', () => location.assign(`/accounts/login/?next=${here}`));
    this.lock();
  }

  /** A message above the form, with one thing to do. */
  say(text: string, kind: string, reference = '', action = '', act: (() => void) | null = null): void {
    if (!this.told) return;
    this.told.dataset['kind'] = kind;
    const words = document.createElement('p');
    words.textContent = text;
    const parts: Node[] = [words];
    if (reference) {
      const quoted = document.createElement('p');
      quoted.className = 'reference';
      quoted.textContent = reference;
      parts.push(quoted);
    }
    if (act) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'btn btn-sm btn-primary';
      button.textContent = action;
      button.addEventListener('click', act);
      parts.push(button);
    }
    this.told.replaceChildren(...parts);
    this.told.hidden = false;
    this.told.scrollIntoView({ block: 'nearest' });
  }

  private lock(): void {
    for (const item of document.querySelectorAll<HTMLFieldSetElement>('fieldset[data-item]')) item.disabled = true;
    const acts = '[data-submit], [data-add-row], [data-strike], [data-unstrike]';
    for (const button of document.querySelectorAll<HTMLButtonElement>(acts)) button.disabled = true;
  }

  private write(text: string, isFailed: boolean): void {
    if (!this.line) return;
    this.line.textContent = text;
    this.line.classList.toggle('is-failed', isFailed);
  }
}
