/** The form's fields: what a person does in them goes to the queue; what the server says is shown beside them. */
import type { Queue } from './queue';
import { Rows } from './rows';
import type { Change, ItemLook, PartLook, Saved } from './types';

/** Typing is sent when it pauses, so that at most this much is ever unsent. */
const PAUSE_MS = 700;

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const isBox = (control: Control): control is HTMLInputElement => control.type === 'radio' || control.type === 'checkbox';

/** Whether a control shows something else than the server sent with the page. */
function isTouched(control: Control): boolean {
  if (isBox(control)) return control.checked !== control.defaultChecked;
  if (control instanceof HTMLSelectElement) {
    return control.value !== ([...control.options].find((option) => option.defaultSelected)?.value ?? '');
  }
  // A field of one line never shows the line breaks of its text.
  const sent = control instanceof HTMLInputElement ? control.defaultValue.replace(/[\r\n]/g, '') : control.defaultValue;
  return control.value !== sent;
}

export class Fields {
  private readonly timers = new Map<string, number>();
  private readonly count: HTMLElement | null;
  private readonly rows: Rows;

  constructor(private readonly root: HTMLElement) {
    this.count = root.querySelector('[data-open-count]');
    this.rows = new Rows(root);
  }

  listen(queue: Queue): void {
    const form = this.root.querySelector('[data-form]');
    this.rows.listen(queue);
    form?.addEventListener('submit', (event) => event.preventDefault());
    form?.addEventListener('input', (event) => {
      const control = event.target as Control;
      const item = this.itemOf(control);
      if (item && control.matches('[data-answer]') && !isBox(control)) this.later(item, queue);
    });
    form?.addEventListener('keydown', (event) => {
      const { key, target } = event as KeyboardEvent;
      // What was chosen by mistake can be taken back without a mouse, and without saying why there is no answer.
      if ((key === 'Backspace' || key === 'Delete') && target instanceof HTMLInputElement && target.type === 'radio') {
        const item = this.itemOf(target);
        if (item) this.clear(item, queue);
      }
    });
    form?.addEventListener('change', (event) => {
      const control = event.target as Control;
      const item = this.itemOf(control);
      if (item && control.matches('[data-answer]')) this.now(item, queue);
    });
    form?.addEventListener('click', (event) => {
      const choice = (event.target as Element).closest<HTMLElement>('[data-absent]');
      const item = choice && this.itemOf(choice);
      if (item) this.absent(item, choice, queue);
    });
    this.catchUp(queue);
  }

  /** Send what was answered before this script was there to hear it: a slow line brings the page first. */
  private catchUp(queue: Queue): void {
    for (const item of this.root.querySelectorAll<HTMLElement>('[data-item]')) {
      if ([...item.querySelectorAll<Control>('[data-answer]')].some(isTouched)) this.now(item.dataset['item'] ?? '', queue);
    }
  }

  /** Send what is typed but not yet sent. */
  flush(queue: Queue): void {
    for (const item of [...this.timers.keys()]) this.now(item, queue);
  }

  item(name: string): HTMLElement | null {
    return this.root.querySelector(`[data-item="${CSS.escape(name)}"]`);
  }

  /** What stands at a path that the server names: an item, a group, or what is said of the whole form. */
  part(path: string): HTMLElement | null {
    return this.item(path) ?? (path ? this.rows.group(path) : this.root.querySelector<HTMLElement>('[data-form-told]'));
  }

  /** Items whose value was read from this mark. */
  boundTo(markId: string): string[] {
    const found = this.root.querySelectorAll<HTMLElement>(`[data-item] [data-mark="${CSS.escape(markId)}"]`);
    return [...found].map((output) => this.itemOf(output) ?? '').filter(Boolean);
  }

  /** Put a change that an earlier page could not send back into its field. */
  put(name: string, change: Change): void {
    if (change && 'row' in change) this.rows.put(name, change.row);
    const item = this.item(name);
    if (!item) return;
    this.showAbsent(item, change && 'absent' in change ? change.absent : '');
    this.showText(item, change && 'text' in change ? change.text : '');
  }

  show(saved: Saved): void {
    for (const [path, look] of Object.entries(saved.items)) {
      const item = this.item(path);
      if ('struck' in look) this.rows.show(path, look);
      else if (!('text' in look)) this.showPart(path, look);
      else if (item) this.showItem(item, look, this.timers.has(path));
    }
    if (!this.count) return;
    const { none, one, many } = this.count.dataset;
    this.count.textContent = (saved.open === 0 ? none : saved.open === 1 ? one : many?.replace('#', String(saved.open))) ?? '';
  }

  private showItem(item: HTMLElement, look: ItemLook, isTyping: boolean): void {
    item.hidden = !look.visible;
    item.querySelector('.item-label')?.classList.toggle('item-required', look.required);
    this.showTold(item.querySelector('.item-told'), look.told);
    const output = item.querySelector<HTMLElement>('[data-shown]');
    if (output) this.showShown(item, output, look);
    // What is being typed is never replaced under the hand.
    if (isTyping || item.contains(document.activeElement)) return;
    this.showText(item, look.text);
    this.showAbsent(item, look.absent);
  }

  private showPart(path: string, look: PartLook): void {
    const group = path ? this.rows.group(path) : null;
    if (group) group.hidden = !look.visible;
    this.showTold(group ? group.querySelector('[data-group-told]') : this.root.querySelector('[data-form-told]'), look.told);
  }

  private showTold(told: Element | null, html: string): void {
    if (told && told.innerHTML !== html) told.innerHTML = html; // escaped by the server's template
  }

  private showShown(item: HTMLElement, output: HTMLElement, look: ItemLook): void {
    output.textContent = look.shown || '–';
    if (output.dataset['mark'] === undefined) return;
    output.dataset['mark'] = look.mark_id;
    item.querySelector('[data-show]')?.toggleAttribute('hidden', !look.mark_id);
    const word = item.querySelector<HTMLElement>('[data-measure-word]');
    const first = document.querySelector<HTMLElement>('[data-words]')?.dataset['measure'];
    if (word) word.textContent = (look.mark_id ? word.dataset['measureWord'] : first) ?? '';
    this.showAbsent(item, look.absent);
  }

  private showText(item: HTMLElement, text: string): void {
    for (const control of item.querySelectorAll<Control>('[data-answer]')) {
      if (isBox(control)) control.checked = text.split(' ').includes(control.value);
      else if (control.value !== text) control.value = text;
    }
  }

  /** Why there is no value: one of a small menu, told beside it when it is chosen. */
  private showAbsent(item: HTMLElement, absent: string): void {
    const menu = item.querySelector('[data-absences]');
    let word = '';
    for (const choice of menu?.querySelectorAll<HTMLElement>('[data-absent]') ?? []) {
      const isChosen = choice.dataset['absent'] === absent;
      choice.setAttribute('aria-checked', String(isChosen));
      if (isChosen) word = choice.textContent ?? '';
    }
    menu?.classList.toggle('is-chosen', word !== '');
    const told = menu?.querySelector('[data-absent-word]');
    if (told) told.textContent = word.trim();
  }

  private absent(name: string, choice: HTMLElement, queue: Queue): void {
    const item = this.item(name);
    this.forget(name);
    if (!item) return;
    const absent = choice.getAttribute('aria-checked') === 'true' ? '' : (choice.dataset['absent'] ?? '');
    this.showAbsent(item, absent);
    this.showText(item, '');
    queue.add(name, absent ? { absent } : null);
    // The menu closes; the keyboard stays where it was.
    item.querySelector<HTMLElement>('[data-absences] summary')?.focus();
  }

  private later(name: string, queue: Queue): void {
    this.forget(name);
    this.timers.set(name, window.setTimeout(() => this.now(name, queue), PAUSE_MS));
  }

  private now(name: string, queue: Queue): void {
    this.forget(name);
    const item = this.item(name);
    if (!item) return;
    const controls = [...item.querySelectorAll<Control>('[data-answer]')];
    const words = controls.filter((control) => !isBox(control) || control.checked).map((control) => control.value);
    this.showAbsent(item, '');
    queue.add(name, { text: words.join(' ') });
  }

  private clear(name: string, queue: Queue): void {
    const item = this.item(name);
    if (!item?.querySelector('input:checked')) return;
    this.showText(item, '');
    this.showAbsent(item, '');
    queue.add(name, null);
  }

  private forget(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private itemOf(element: Element): string | null {
    return element.closest<HTMLElement>('[data-item]')?.dataset['item'] ?? null;
  }
}
