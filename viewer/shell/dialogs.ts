/**
 * `<button data-dialog="sign">` opens `<dialog id="sign">`; `<button data-close>` inside closes it, as does a click
 * on the backdrop. Dialogs that htmx puts into the page with `data-open` open themselves.
 */
export function openDialog(id: string): boolean {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}

export function dialogs(): void {
  document.addEventListener('click', (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>('[data-dialog]');
    if (opener?.dataset['dialog']) openDialog(opener.dataset['dialog']);
    if (target.closest('[data-close]') || target.matches('dialog.dialog:not([data-keep])')) {
      target.closest('dialog')?.close();
    }
  });
  document.addEventListener('htmx:afterSettle', () => {
    for (const dialog of document.querySelectorAll<HTMLDialogElement>('dialog[data-open]:not([open])')) dialog.showModal();
  });
}
