/**
 * Sets light or dark before the first paint. Loaded as a plain blocking script in <head>, so that a
 * pinned theme never flashes; keep it tiny and without imports.
 *
 * The choice (auto, light, dark) lives in localStorage under `collegium.theme`. A page that is always
 * dark writes `data-theme-fixed` on <html> and is left alone.
 */
(() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = (): void => {
    if (root.hasAttribute('data-theme-fixed')) return;
    let choice: string | null = null;
    try {
      choice = localStorage.getItem('collegium.theme');
    } catch {
      // Storage may be forbidden; the system's choice is a fine default.
    }
    if (choice !== 'light' && choice !== 'dark') choice = 'auto';
    root.dataset['themeChoice'] = choice;
    root.dataset['bsTheme'] = choice === 'auto' ? (dark.matches ? 'dark' : 'light') : choice;
  };
  apply();
  dark.addEventListener('change', apply);
  addEventListener('storage', apply);
  addEventListener('collegium:theme', apply);
})();
