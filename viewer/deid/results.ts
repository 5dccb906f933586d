/** The table of what became of the files: a row for each series, and one for each reason of refusal. */
import { make } from '../panels/dom';
import type { Group, Items } from './items';
import { part } from './parts';

type State = Group['state'];

/** Names of files that a row opens to; more would only be in the way. */
const MOST_NAMES = 200;
const STATES: Record<State | 'confirmed', [kind: string, icon: string, word: string]> = {
  clean: ['state-done', 'circle-check', 'Cleaned'],
  confirmed: ['state-done', 'eye-check', 'Cleaned and looked at'],
  look: ['state-attention', 'eye', 'To look at'],
  refused: ['state-stopped', 'circle-x', 'Refused'],
};

export class Results {
  look: (group: Group) => void = () => undefined;
  private shown: State | 'all' = 'all';
  private items: Items | null = null;
  private readonly rows = new Map<string, HTMLElement>();
  private readonly open = new Set<string>();

  constructor(private readonly root: HTMLElement) {
    root.querySelectorAll<HTMLElement>('[data-show]').forEach((chip) => chip.addEventListener('click', () => this.filter(chip.dataset['show'] as State | 'all')));
  }

  show(items: Items): void {
    this.items = items;
    this.rows.clear();
    this.open.clear();
    this.filter('all');
  }

  /** Draw what has changed. */
  refresh(): void {
    const { items } = this;
    if (!items) return;
    for (const chip of this.root.querySelectorAll<HTMLElement>('[data-show]')) {
      part(chip, '.count').textContent = String(items.count(chip.dataset['show'] as State | 'all'));
    }
    const body = part(this.root, '[data-rows]');
    const wanted = [...items.groups.values()].filter((group) => this.shown === 'all' || group.state === this.shown).sort(byUrgency);
    const rows = wanted.flatMap((group) => this.rowsOf(group));
    // The same rows in the same order are left alone, so that nothing moves under the pointer.
    if (rows.length !== body.children.length || rows.some((row, at) => body.children[at] !== row)) body.replaceChildren(...rows);
  }

  private filter(state: State | 'all'): void {
    this.shown = state;
    for (const chip of this.root.querySelectorAll<HTMLElement>('[data-show]')) {
      chip.setAttribute('aria-pressed', String(chip.dataset['show'] === state));
      chip.classList.toggle('is-on', chip.dataset['show'] === state);
    }
    this.refresh();
  }

  private rowsOf(group: Group): HTMLElement[] {
    const signature = `${group.items.length} ${String(group.isConfirmed)} ${String(this.open.has(group.key))} ${group.boxes.length}`;
    const rows: HTMLElement[] = [];
    for (const [name, make_] of [['', () => this.row(group)], [' names', () => this.names(group)]] as const) {
      if (name && !this.open.has(group.key)) continue;
      let row = this.rows.get(group.key + name);
      if (row?.dataset['signature'] !== signature) {
        const hadFocus = row?.contains(document.activeElement) ? document.activeElement!.getAttribute('data-act') : null;
        const fresh = make_();
        fresh.dataset['signature'] = signature;
        row?.replaceWith(fresh);
        if (hadFocus) fresh.querySelector<HTMLElement>(`[data-act="${hadFocus}"]`)?.focus();
        row = fresh;
        this.rows.set(group.key + name, row);
      }
      rows.push(row);
    }
    return rows;
  }

  private row(group: Group): HTMLElement {
    const [kind, icon, word] = STATES[group.state === 'look' && group.isConfirmed ? 'confirmed' : group.state];
    const { told } = group.items[0]!;
    const toggle = make('button', { type: 'button', class: 'btn btn-sm btn-quiet deid-toggle', 'data-act': 'names', 'aria-expanded': String(this.open.has(group.key)) },
      make('i', { class: `ti ti-${this.open.has(group.key) ? 'chevron-down' : 'chevron-right'}`, 'aria-hidden': 'true' }),
      group.state === 'refused' ? 'Files' : told.kind || 'Objects');
    toggle.addEventListener('click', () => this.toggle(group));
    const what = make('td', {}, toggle);
    if (told.reason) what.append(make('div', { class: 'deid-reason' }, told.reason));
    if (group.boxes.length) what.append(make('div', { class: 'deid-reason' }, group.boxes.length === 1 ? 'One box is covered.' : `${group.boxes.length} boxes are covered.`));
    const state = make('td', { class: 'fit' }, make('span', { class: `state ${kind}` }, make('i', { class: `ti ti-${icon}`, 'aria-hidden': 'true' }), word));
    return make('tr', {}, what, this.exam(group), make('td', { class: 'number fit' }, String(group.items.length)), state, this.acts(group));
  }

  private exam(group: Group): HTMLElement {
    const { told } = group.items[0]!;
    if (group.state === 'refused') return make('td', { class: 'muted fit' }, '–');
    const copy = make('button', { type: 'button', class: 'id', 'data-copy': told.study, title: `New Study Instance UID ${told.study}` }, `…${told.study.slice(-6)}`);
    return make('td', { class: 'fit' }, `${this.items!.exams.indexOf(told.study) + 1} `, copy);
  }

  private acts(group: Group): HTMLElement {
    if (group.state !== 'look') return make('td', { class: 'fit' });
    const button = make('button', { type: 'button', class: `btn btn-sm${group.isConfirmed ? '' : ' btn-primary'}`, 'data-act': 'look' }, group.isConfirmed ? 'Look again' : 'Look at pictures');
    button.addEventListener('click', () => this.look(group));
    return make('td', { class: 'fit' }, button);
  }

  private names(group: Group): HTMLElement {
    const list = make('ul', { class: 'deid-names mono' }, ...group.items.slice(0, MOST_NAMES).map((item) => make('li', {}, item.path)));
    const more = group.items.length - MOST_NAMES;
    if (more > 0) list.append(make('li', { class: 'muted' }, `and ${more} more`));
    return make('tr', { class: 'deid-names-row' }, make('td', { colspan: '5' }, list));
  }

  private toggle(group: Group): void {
    if (!this.open.delete(group.key)) this.open.add(group.key);
    this.refresh();
  }
}

const ORDER: State[] = ['look', 'refused', 'clean'];

function byUrgency(one: Group, other: Group): number {
  return ORDER.indexOf(one.state) - ORDER.indexOf(other.state);
}
