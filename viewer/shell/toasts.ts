/**
 * Short messages at the lower right. From the server: `HX-Trigger: {"collegium:toast": {"state": "done", "text": "…"}}`.
 * From a script: `document.dispatchEvent(new CustomEvent('collegium:toast', {detail: {state, text}}))`. Messages the page
 * was rendered with stand in `<template data-toast="done">Text</template>`. Problems stay until they are closed.
 */
export type State = 'done' | 'waiting' | 'attention' | 'stopped';

const ICONS: Record<State, string> = { done: 'circle-check', waiting: 'clock', attention: 'alert-triangle', stopped: 'circle-x' };

function shelf(): HTMLElement {
  let found = document.querySelector<HTMLElement>('.toasts');
  if (!found) {
    found = document.createElement('div');
    found.className = 'toasts';
    found.setAttribute('role', 'status');
    found.setAttribute('aria-live', 'polite');
    document.body.append(found);
  }
  return found;
}

function icon(name: string): HTMLElement {
  const element = document.createElement('i');
  element.className = `ti ti-${name}`;
  element.setAttribute('aria-hidden', 'true');
  return element;
}

export function toast({ state, text }: { state: State; text: string }): void {
  const note = document.createElement('div');
  note.className = `toast-note toast-${state}`;
  const words = document.createElement('span');
  words.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.setAttribute('aria-label', 'Close message');
  close.append(icon('x'));
  close.addEventListener('click', () => note.remove());
  note.append(icon(ICONS[state] ?? 'info-circle'), words, close);
  shelf().append(note);
  if (state === 'done' || state === 'waiting') setTimeout(() => note.remove(), 6000);
}

export function toasts(): void {
  document.addEventListener('collegium:toast', (event) => {
    const detail = (event as CustomEvent<{ state?: State; text?: string }>).detail;
    if (detail?.text) toast({ state: detail.state ?? 'done', text: detail.text });
  });
  for (const waiting of document.querySelectorAll<HTMLTemplateElement>('template[data-toast]')) {
    toast({ state: waiting.dataset['toast'] as State, text: waiting.content.textContent.trim() });
    waiting.remove();
  }
}
