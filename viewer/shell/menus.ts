/** `<details class="menu">`: one open at a time; Escape, a click elsewhere or a choice closes it; arrows move. */
export function menus(): void {
  const opened = (): HTMLDetailsElement[] => [...document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')];

  document.addEventListener('click', (event) => {
    const target = event.target as Element;
    for (const menu of opened()) {
      if (!menu.contains(target) || target.closest('.menu-list :is(a, button)')) menu.open = false;
    }
  });
  document.addEventListener('keydown', (event) => {
    const menu = opened()[0];
    if (!menu) return;
    if (event.key === 'Escape') {
      menu.open = false;
      menu.querySelector('summary')?.focus();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const choices = [...menu.querySelectorAll<HTMLElement>('.menu-list :is(a, button)')];
      const at = choices.indexOf(document.activeElement as HTMLElement);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      choices[(at + step + choices.length) % choices.length]?.focus();
      event.preventDefault();
    }
  });
}
