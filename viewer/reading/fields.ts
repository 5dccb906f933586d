/** The form's fields: what a person does in them goes to the queue; what the server says is shown beside them. */
import type { Queue } from './queue';
import type { Change, ItemLook, Saved } from './types';

/** Typing is sent when it pauses, so that at most this much is ever unsent. */
const PAUSE_MS = 700;

type Control = HTMLInputElement | HTMLTextAreaElement;

export class Fields {
  private readonly timers = new Map<string, number>();
  private readonly count: HTMLElement | null;

  constructor(private readonly root: HTMLElement) {
    this.count = root.querySelector('[data-open-count]');
  }

  listen(queue: Queue): void {
    const form = this.root.querySelector('[data-form]');
    form?.addEventListener('submit', (event) => event.preventDefault());
    form?.addEventListener('input', (event) => {
      const control = event.target as Control;
      const item = this.itemOf(control);
      if (item && control.matches('[data-answer]') && control.type !== 'radio') this.later(item, queue);
    });
    form?.addEventListener('change', (event) => {
      const control = event.target as Control;
      const item = this.itemOf(control);
      if (!item) return;
      if (control.matches('[data-absent]')) this.absent(item, control as HTMLInputElement, queue);
      else if (control.matches('[data-answer]')) this.now(item, queue);
    });
  }

  /** Send what is typed but not yet sent. */
  flush(queue: Queue): void {
    for (const item of [...this.timers.keys()]) this.now(item, queue);
  }

  item(name: string): HTMLElement | null {
    return this.root.querySelector(`[data-item="${CSS.escape(name)}"]`);
  }

  /** Items whose value was read from this mark. */
  boundTo(markId: string): string[] {
    const found = this.root.querySelectorAll<HTMLElement>(`[data-item] [data-mark="${CSS.escape(markId)}"]`);
    return [...found].map((output) => this.itemOf(output) ?? '').filter(Boolean);
  }

  /** Put a change that an earlier page could not send back into its field. */
  put(name: string, change: Change): void {
    const item = this.item(name);
    if (!item) return;
    this.showAbsent(item, change && 'absent' in change ? change.absent : '');
    this.showText(item, change && 'text' in change ? change.text : '');
  }

  show(saved: Saved): void {
    for (const [name, look] of Object.entries(saved.items)) {
      const item = this.item(name);
      if (item) this.showItem(item, look, this.timers.has(name));
    }
    if (!this.count) return;
    const { none, one, many } = this.count.dataset;
    this.count.textContent = (saved.open === 0 ? none : saved.open === 1 ? one : many?.replace('#', String(saved.open))) ?? '';
  }

  private showItem(item: HTMLElement, look: ItemLook, isTyping: boolean): void {
    item.hidden = !look.visible;
    item.querySelector('.item-label')?.classList.toggle('item-required', look.required);
    const told = item.querySelector('.item-told');
    if (told && told.innerHTML !== look.told) told.innerHTML = look.told; // escaped by the server's template
    const output = item.querySelector<HTMLElement>('[data-length]');
    if (output) this.showLength(item, output, look);
    // What is being typed is never replaced under the hand.
    if (isTyping || item.contains(document.activeElement)) return;
    this.showText(item, look.text);
    this.showAbsent(item, look.absent);
  }

  private showLength(item: HTMLElement, output: HTMLElement, look: ItemLook): void {
    output.dataset['mark'] = look.mark_id;
    output.textContent = look.length ? `${look.length} mm` : '–';
    item.querySelector('[data-show]')?.toggleAttribute('hidden', !look.mark_id);
    const word = item.querySelector<HTMLElement>('[data-measure-word]');
    const first = document.querySelector<HTMLElement>('[data-words]')?.dataset['measure'];
    if (word) word.textContent = (look.mark_id ? word.dataset['measureWord'] : first) ?? '';
    this.showAbsent(item, look.absent);
  }

  private showText(item: HTMLElement, text: string): void {
    for (const control of item.querySelectorAll<Control>('[data-answer]')) {
      if (control instanceof HTMLInputElement && control.type === 'radio') control.checked = control.value === text;
      else if (control.value !== text) control.value = text;
    }
  }

  private showAbsent(item: HTMLElement, absent: string): void {
    for (const box of item.querySelectorAll<HTMLInputElement>('[data-absent]')) box.checked = box.value === absent;
  }

  private absent(name: string, box: HTMLInputElement, queue: Queue): void {
    const item = this.item(name);
    this.forget(name);
    if (!item) return;
    this.showAbsent(item, box.checked ? box.value : '');
    this.showText(item, '');
    queue.add(name, box.checked ? { absent: box.value } : null);
  }

  private later(name: string, queue: Queue): void {
    this.forget(name);
    this.timers.set(name, window.setTimeout(() => this.now(name, queue), PAUSE_MS));
  }

  private now(name: string, queue: Queue): void {
    this.forget(name);
    const item = this.item(name);
    if (!item) return;
    const chosen = item.querySelector<HTMLInputElement>('input[type="radio"]:checked');
    const typed = item.querySelector<Control>('[data-answer]:not([type="radio"])');
    this.showAbsent(item, '');
    queue.add(name, { text: chosen?.value ?? typed?.value ?? '' });
  }

  private forget(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private itemOf(element: Element): string | null {
    return element.closest<HTMLElement>('[data-item]')?.dataset['item'] ?? null;
  }
}
