/** Keys of the page: `F6` goes from the images to the form and back; `?` opens one sheet with all that work. */
interface Viewer extends HTMLElement {
  help(): void;
  explain(name: string, rows: readonly (readonly [string, string])[]): void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(TEXTAREA|SELECT)$/.test(target.tagName) || (target instanceof HTMLInputElement && !/^(radio|checkbox)$/.test(target.type)));

export function keysOfForm(root: HTMLElement): void {
  const viewer = root.querySelector<Viewer>('collegium-viewer');
  // Without images the sheet is a dialog of the page, which the shell opens.
  const sheet = document.querySelector<HTMLTemplateElement>('template[data-keys]');
  if (!viewer || !sheet) return;
  const rows = [...sheet.content.querySelectorAll('dt')].map((keys) => [keys.textContent?.trim() ?? '', keys.nextElementSibling?.textContent?.trim() ?? ''] as const);
  void customElements.whenDefined('collegium-viewer').then(() => viewer.explain(sheet.dataset['keys'] ?? '', rows));
  let last: HTMLElement | null = null;
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOnImages = event.composedPath().includes(viewer);
    if (event.key === 'F6') {
      event.preventDefault();
      if (isOnImages) (last ?? root.querySelector<HTMLElement>('[data-form] :is(input, select, textarea, button, summary):not(:disabled)'))?.focus();
      else {
        last = document.activeElement instanceof HTMLElement && root.querySelector('.reading-form')?.contains(document.activeElement) ? document.activeElement : last;
        viewer.focus();
      }
    } else if (event.key === '?' && !isTyping(event.target)) {
      event.preventDefault();
      viewer.help();
    }
  });
}
