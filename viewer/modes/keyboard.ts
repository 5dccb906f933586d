/** Keys to commands. One table; nothing else listens for keys. */
import type { ToolName } from '../core/store';

export type KeyCommand =
  | { do: 'step'; by: number }
  | { do: 'first' | 'last' | 'invert' | 'fit' | 'reset' | 'side' | 'help' | 'remove' | 'accept' | 'cancel' }
  | { do: 'link' | 'alone' | 'other' | 'layer' }
  | { do: 'tool'; tool: ToolName }
  | { do: 'preset'; key: string }
  | { do: 'series'; by: number }
  | { do: 'zoom'; by: number };

const TABLE: Record<string, KeyCommand> = {
  ArrowUp: { do: 'step', by: -1 },
  ArrowLeft: { do: 'step', by: -1 },
  ArrowDown: { do: 'step', by: 1 },
  ArrowRight: { do: 'step', by: 1 },
  PageUp: { do: 'step', by: -10 },
  PageDown: { do: 'step', by: 10 },
  Home: { do: 'first' },
  End: { do: 'last' },
  '[': { do: 'series', by: -1 },
  ']': { do: 'series', by: 1 },
  w: { do: 'tool', tool: 'window' },
  s: { do: 'tool', tool: 'scroll' },
  z: { do: 'tool', tool: 'zoom' },
  p: { do: 'tool', tool: 'pan' },
  l: { do: 'tool', tool: 'length' },
  b: { do: 'tool', tool: 'bidirectional' },
  i: { do: 'invert' },
  f: { do: 'fit' },
  r: { do: 'reset' },
  v: { do: 'side' },
  k: { do: 'link' },
  o: { do: 'other' },
  d: { do: 'alone' },
  '?': { do: 'help' },
  '+': { do: 'zoom', by: 1.2 },
  '=': { do: 'zoom', by: 1.2 },
  '-': { do: 'zoom', by: 1 / 1.2 },
  Delete: { do: 'remove' },
  Backspace: { do: 'remove' },
  Enter: { do: 'accept' },
  Escape: { do: 'cancel' },
};

function isTyping(target: EventTarget | null | undefined): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== 'range' && target.type !== 'checkbox';
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

const isInToolbar = (event: KeyboardEvent): boolean =>
  event.composedPath().some((part) => part instanceof Element && part.getAttribute('role') === 'toolbar');

const isOnButton = (event: KeyboardEvent): boolean => event.composedPath()[0] instanceof HTMLButtonElement;

/** `isLayerKey`: with Shift this key switches a layer. */
export function commandOf(event: KeyboardEvent, isLayerKey: boolean): KeyCommand | null {
  // Arrows move between the buttons of a toolbar.
  if ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && isInToolbar(event)) return null;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.composedPath()[0])) return null;
  // Enter presses a button that has the focus.
  if (event.key === 'Enter' && isOnButton(event)) return null;
  if (isLayerKey) return { do: 'layer' };
  if (/^[1-9]$/.test(event.key)) return { do: 'preset', key: event.key };
  return TABLE[event.key] ?? TABLE[event.key.toLowerCase()] ?? null;
}
