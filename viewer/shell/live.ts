/**
 * Parts of a page that stay fresh while it is open: `<div id="…" data-live="tasks">`.
 *
 * One line to `/live` a page, and only where such a part stands; a hidden page closes it. The server says which thing
 * changed, never what: the part is then loaded again from the page's own address (or `data-live-from`) and exchanged.
 * `data-live-space` limits a part to one space. Nothing changes under the pointer, around the focus or beside an open
 * dialog: then a bar offers to show what is new. `data-live-quiet` is for parts so small that it does not matter.
 * What a person has written into a field of such a part is kept, whatever comes.
 */
import htmx from 'htmx.org';
import { showTime } from './times';

interface Told { thing: string; space?: string }

const EVERYTHING = 'everything';
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;
const TOKEN = /name="csrfmiddlewaretoken" value="[^"]*"/g;

let line: EventSource | null = null;
/** When the page last knew everything, on the clock of `performance`; 0 is when it was asked for. */
let freshAt = 0;
let wait = FIRST_WAIT_MS;
const loading = new Map<string, boolean>();
const held = new Map<string, HTMLElement>();

export function live(): void {
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  window.addEventListener('pagehide', close);
  window.addEventListener('pageshow', (event) => { if (event.persisted) open(); });
  document.addEventListener('pointerout', () => setTimeout(showHeld, 150));
  document.addEventListener('focusout', () => setTimeout(showHeld, 150));
  open();
}

function parts(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-live][id]')];
}

function open(): void {
  if (line || document.hidden || parts().length === 0) return;
  const age = ((performance.now() - freshAt) / 1000).toFixed(1);
  line = new EventSource(`/live?age=${age}`);
  line.addEventListener('open', () => { wait = FIRST_WAIT_MS; });
  line.addEventListener('message', (event: MessageEvent<string>) => {
    freshAt = performance.now();
    hear(JSON.parse(event.data) as Told);
  });
  line.addEventListener('error', () => {
    // While it is not closed, the browser comes back by itself and says what it heard last.
    if (line?.readyState !== EventSource.CLOSED) return;
    line = null;
    setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  });
}

function close(): void {
  if (line?.readyState === EventSource.OPEN) freshAt = performance.now();
  line?.close();
  line = null;
}

function addressOf(part: HTMLElement): string {
  return part.dataset['liveFrom'] ?? `${location.pathname}${location.search}`;
}

function concerns(part: HTMLElement, told: Told): boolean {
  const things = (part.dataset['live'] ?? '').split(' ');
  const space = part.dataset['liveSpace'];
  if (told.thing !== EVERYTHING && !things.includes(told.thing)) return false;
  return !space || !told.space || space === told.space;
}

function hear(told: Told): void {
  for (const address of new Set(parts().filter((part) => concerns(part, told)).map(addressOf))) void load(address);
}

/** One request an address at a time; what changes meanwhile is asked for afterwards. */
async function load(address: string): Promise<void> {
  if (loading.has(address)) {
    loading.set(address, true);
    return;
  }
  loading.set(address, false);
  try {
    const answer = await fetch(address, { headers: { 'X-Live': '1' }, credentials: 'same-origin', redirect: 'manual' });
    if (answer.ok) exchange(address, new DOMParser().parseFromString(await answer.text(), 'text/html'));
  } catch {
    // The server is away for a moment: the line comes back and then tells everything.
  } finally {
    const again = loading.get(address);
    loading.delete(address);
    if (again) void load(address);
  }
}

function exchange(address: string, loaded: Document): void {
  loaded.querySelectorAll<HTMLTimeElement>('time[datetime]').forEach(showTime);
  for (const part of parts().filter((one) => addressOf(one) === address)) {
    const fresh = loaded.getElementById(part.id);
    if (!fresh || same(part, fresh)) {
      held.delete(part.id);
    } else if (isInUse(part)) {
      held.set(part.id, fresh);
    } else {
      put(part, fresh);
    }
  }
  showBar();
}

function same(part: HTMLElement, fresh: HTMLElement): boolean {
  return part.innerHTML.replace(TOKEN, '') === fresh.innerHTML.replace(TOKEN, '');
}

function isInUse(part: HTMLElement): boolean {
  if ('liveQuiet' in part.dataset) return false;
  return part.matches(':hover') || part.contains(document.activeElement) || part.querySelector('details[open]') !== null
    || document.querySelector('dialog[open]') !== null;
}

function put(part: HTMLElement, fresh: HTMLElement): void {
  held.delete(part.id);
  const label = fresh.getAttribute('aria-label');
  if (label) part.setAttribute('aria-label', label);
  const texts = written(part);
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const [id, text] of texts) {
    const field = document.getElementById(id);
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = text;
  }
  htmx.process(part);
}

/** What was typed and not sent, by the id of its field. */
function written(part: HTMLElement): Map<string, string> {
  const fields = part.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('textarea[id], input[id][type="text"], input[id][type="search"]');
  return new Map([...fields].filter((field) => field.value !== field.defaultValue).map((field) => [field.id, field.value]));
}

/** The pointer or the focus has left: what was held back may appear. */
function showHeld(): void {
  for (const [id, fresh] of held) {
    const part = document.getElementById(id);
    if (!part) held.delete(id);
    else if (!isInUse(part)) put(part, fresh);
  }
  showBar();
}

function showBar(): void {
  const bar = document.querySelector<HTMLElement>('.live-bar');
  if (held.size === 0) {
    bar?.remove();
    return;
  }
  if (bar) return;
  const made = document.createElement('div');
  made.className = 'live-bar';
  made.setAttribute('role', 'status');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn btn-sm';
  button.textContent = 'Show';
  button.addEventListener('click', () => {
    for (const [id, fresh] of [...held]) {
      const part = document.getElementById(id);
      if (part) put(part, fresh);
    }
    held.clear();
    showBar();
  });
  made.append('There is something new.', button);
  document.body.append(made);
}
