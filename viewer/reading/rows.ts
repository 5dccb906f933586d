/** Rows of repeating groups: added, struck out and taken back. A row is never removed, and its number never used again. */
import type { Queue } from './queue';
import type { RowLook } from './types';

const NEW_ROW = 'ROW';
const ADDRESSED = ['data-item', 'data-row', 'name', 'id', 'aria-describedby'];

function newId(): string {
  return crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, '0');
}

export class Rows {
  constructor(private readonly root: HTMLElement) {}

  listen(queue: Queue): void {
    this.root.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('[data-add-row], [data-strike], [data-unstrike]');
      if (!button) return;
      const group = button.closest<HTMLElement>('[data-group]');
      const row = button.closest<HTMLElement>('[data-row]');
      if (row) this.strike(row, button.matches('[data-strike]'), queue);
      else if (group) this.addNew(group, queue);
    });
  }

  group(name: string): HTMLElement | null {
    return this.root.querySelector(`[data-group="${CSS.escape(name)}"]`);
  }

  /** Put a row that an earlier page could not send back into its group. */
  put(path: string, word: 'present' | 'struck'): void {
    const [name, id] = path.split('.');
    const group = this.group(name ?? '');
    if (!group || !id) return;
    this.place(this.row(path) ?? this.make(group, id), word === 'struck');
  }

  show(path: string, look: RowLook): void {
    const row = this.row(path);
    if (!row) return;
    const group = row.closest<HTMLElement>('[data-group]');
    if (group) this.number(group, row, look.number);
    this.place(row, look.struck);
  }

  private row(path: string): HTMLElement | null {
    return this.root.querySelector(`[data-row="${CSS.escape(path)}"]`);
  }

  private addNew(group: HTMLElement, queue: Queue): void {
    const row = this.make(group, newId());
    this.place(row, false);
    queue.add(row.dataset['row'] ?? '', { row: 'present' });
    row.scrollIntoView({ block: 'nearest' });
    row.querySelector<HTMLElement>('[data-answer], [data-measure]')?.focus();
  }

  private strike(row: HTMLElement, isStruck: boolean, queue: Queue): void {
    this.place(row, isStruck);
    const fold = row.closest<HTMLDetailsElement>('[data-struck]');
    // What was just struck out can be taken back without looking for it.
    if (fold) fold.open = true;
    queue.add(row.dataset['row'] ?? '', { row: isStruck ? 'struck' : 'present' });
    row.querySelector<HTMLElement>(isStruck ? '[data-unstrike]' : '[data-strike]')?.focus();
  }

  /** A row as the server would show it, with the number it will get. */
  private make(group: HTMLElement, id: string): HTMLElement {
    const template = group.querySelector<HTMLTemplateElement>('[data-row-template]');
    const copy = template?.content.firstElementChild?.cloneNode(true) as HTMLElement;
    for (const element of [copy, ...copy.querySelectorAll('*')]) {
      for (const name of ADDRESSED) {
        const value = element.getAttribute(name);
        if (value) element.setAttribute(name, value.replace(`.${NEW_ROW}`, `.${id}`));
      }
    }
    this.number(group, copy, Number(group.dataset['last'] ?? '0') + 1);
    group.querySelector('[data-rows]')?.append(copy);
    return copy;
  }

  private number(group: HTMLElement, row: HTMLElement, number: number): void {
    const label = `${group.dataset['prefix'] ?? ''}${number}`;
    row.setAttribute('aria-label', label);
    row.dataset['number'] = String(number);
    const name = row.querySelector('[data-row-name]');
    if (name) name.textContent = label;
    for (const item of row.querySelectorAll<HTMLElement>('[data-item]')) item.dataset['label'] = label;
    group.dataset['last'] = String(Math.max(number, Number(group.dataset['last'] ?? '0')));
  }

  /** Among the rows that count, or folded away with those that are struck out; in the order of their numbers. */
  private place(row: HTMLElement, isStruck: boolean): void {
    const group = row.closest<HTMLElement>('[data-group]');
    const home = group?.querySelector(isStruck ? '[data-struck-rows]' : '[data-rows]');
    if (group && home && (row.parentElement !== home || row.classList.contains('is-struck') !== isStruck)) {
      const after = [...home.children].find((other) => Number((other as HTMLElement).dataset['number']) > Number(row.dataset['number']));
      home.insertBefore(row, after ?? null);
    }
    row.classList.toggle('is-struck', isStruck);
    if (!group) return;
    const fold = group.querySelector<HTMLElement>('[data-struck]');
    const struck = group.querySelectorAll('[data-row].is-struck').length;
    const told = fold?.querySelector<HTMLElement>('[data-struck-count]');
    if (told) told.textContent = told.dataset['phrase']?.replace('#', String(struck)) ?? '';
    if (fold) fold.hidden = struck === 0;
    const count = group.querySelectorAll('[data-row]:not(.is-struck)').length;
    const shown = group.querySelector('[data-row-count]');
    if (shown) shown.textContent = String(count);
    const add = group.querySelector<HTMLButtonElement>('[data-add-row]');
    if (add) add.disabled = count >= Number(group.dataset['most'] ?? '0');
  }
}
