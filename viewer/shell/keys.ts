/** `/` goes to the search of the list, or else to that of the house, `?` shows the page's shortcuts (`<dialog id="shortcuts">`). */
import { openDialog } from './dialogs';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function keys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.composedPath()[0] ?? null)) return;
    if (event.key === '/') {
      const search = document.querySelector<HTMLInputElement>('[data-search="list"]') ?? document.querySelector<HTMLInputElement>('[data-search]');
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === '?' && openDialog('shortcuts')) {
      event.preventDefault();
    }
  });
}
