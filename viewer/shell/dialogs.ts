/**
 * `<button data-dialog="sign">` opens `<dialog id="sign">`; `<button data-close>` inside closes it, as do Escape and, unless
 * it says `data-keep`, a click on the backdrop. Dialogs that htmx puts into the page with `data-open` open themselves.
 *
 * The first field has the focus, so that a person can write at once. A dialog whose act cannot be taken back (it has a
 * `btn-danger`) begins at its safe button. Closing gives the focus back to what opened it.
 */
const FIELDS = ':is(input:not([type="hidden"], [hidden], [disabled]), select:not([disabled]), textarea:not([disabled]))';

function firstIn(dialog: HTMLDialogElement): HTMLElement | null {
  const asked = dialog.querySelector<HTMLElement>('[autofocus]');
  if (asked) return asked;
  const safe = dialog.querySelector<HTMLElement>('.dialog-foot [data-close]');
  if (dialog.querySelector('.dialog-foot .btn-danger') && safe) return safe;
  return dialog.querySelector<HTMLElement>(`.dialog-body ${FIELDS}`)
    ?? dialog.querySelector<HTMLElement>('.dialog-foot .btn-primary')
    ?? safe;
}

function show(dialog: HTMLDialogElement, opener: HTMLElement | null): void {
  if (dialog.open) return;
  dialog.showModal();
  firstIn(dialog)?.focus();
  dialog.addEventListener('close', () => giveBack(dialog, opener), { once: true });
}

/** The opener may have been exchanged meanwhile by a part that stays fresh: its successor opens the same dialog. */
function giveBack(dialog: HTMLDialogElement, opener: HTMLElement | null): void {
  const successor = document.querySelector<HTMLElement>(`[data-dialog="${CSS.escape(dialog.id)}"]`);
  const to = opener?.isConnected ? opener : successor;
  // A choice of a menu that has closed cannot have the focus: the menu itself takes it.
  const menu = to?.closest<HTMLDetailsElement>('details.menu:not([open])');
  (menu?.querySelector('summary') ?? to)?.focus();
}

export function openDialog(id: string, opener: HTMLElement | null = null): boolean {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  const active = document.activeElement;
  show(dialog, opener ?? (active instanceof HTMLElement && active !== document.body ? active : null));
  return true;
}

export function dialogs(): void {
  document.addEventListener('click', (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>('[data-dialog]');
    if (opener?.dataset['dialog']) openDialog(opener.dataset['dialog'], opener);
    if (target.closest('[data-close]') || target.matches('dialog.dialog:not([data-keep])')) {
      target.closest('dialog')?.close();
    }
  });
  const openWaiting = (): void => {
    for (const dialog of document.querySelectorAll<HTMLDialogElement>('dialog[data-open]:not([open])')) show(dialog, null);
  };
  document.addEventListener('htmx:afterSettle', openWaiting);
  openWaiting();
}
