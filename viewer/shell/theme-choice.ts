/** Buttons with `data-theme-choose="auto|light|dark"` pin the theme; `aria-checked` shows the choice. */
export function themeChoice(): void {
  const root = document.documentElement;
  const show = (): void => {
    for (const button of document.querySelectorAll<HTMLElement>('[data-theme-choose]')) {
      button.setAttribute('aria-checked', String(button.dataset['themeChoose'] === (root.dataset['themeChoice'] ?? 'auto')));
    }
  };
  document.addEventListener('click', (event) => {
    const choice = (event.target as Element).closest<HTMLElement>('[data-theme-choose]')?.dataset['themeChoose'];
    if (!choice) return;
    try {
      localStorage.setItem('collegium.theme', choice);
    } catch {
      return;
    }
    dispatchEvent(new Event('collegium:theme'));
    show();
  });
  show();
}
