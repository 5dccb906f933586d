/**
 * `<textarea data-kept id="said">`: what is written stays in this window until the server has taken it. A page that is
 * loaded again, a session that ended or a refusal never costs a person their own words. Kept by address and id, for
 * this window alone, and gone with it.
 */
const KEY = 'collegium.kept';

interface Kept { text: string; isSent: boolean }

function keyOf(field: HTMLTextAreaElement): string {
  return `${KEY}:${location.pathname}#${field.id}`;
}

function read(key: string): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
}

function write(key: string, kept: Kept | null): void {
  try {
    if (kept?.text) sessionStorage.setItem(key, JSON.stringify(kept));
    else sessionStorage.removeItem(key);
  } catch {
    // Not kept where storage is forbidden.
  }
}

function fields(within: ParentNode): HTMLTextAreaElement[] {
  return [...within.querySelectorAll<HTMLTextAreaElement>('textarea[data-kept][id]')];
}

export function keptTexts(): void {
  const isDone = document.querySelector('template[data-toast="done"]') !== null;
  for (const field of fields(document)) {
    const kept = read(keyOf(field));
    if (kept?.isSent && isDone) write(keyOf(field), null);
    else if (kept && !field.value) field.value = kept.text;
  }
  document.addEventListener('input', (event) => {
    const field = event.target as HTMLTextAreaElement;
    if (field.matches('textarea[data-kept][id]')) write(keyOf(field), { text: field.value, isSent: false });
  });
  document.addEventListener('submit', (event) => {
    for (const field of fields(event.target as HTMLFormElement)) write(keyOf(field), { text: field.value, isSent: true });
  });
}
