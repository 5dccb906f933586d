/**
 * The divider of the reading page: drag it, or focus it and use the arrow keys; the width is remembered.
 * `<div class="reading-divider" role="separator" tabindex="0" aria-orientation="vertical" aria-label="Width of the form">`
 */
const KEY = 'collegium.form-width';
const LEAST = 280;

function apply(page: HTMLElement, divider: HTMLElement, width: number): void {
  const most = Math.max(LEAST, Math.round(page.clientWidth * 0.6));
  const kept = Math.round(Math.min(most, Math.max(LEAST, width)));
  page.style.setProperty('--form-width', `${kept}px`);
  divider.setAttribute('aria-valuemin', String(LEAST));
  divider.setAttribute('aria-valuemax', String(most));
  divider.setAttribute('aria-valuenow', String(kept));
  try {
    localStorage.setItem(KEY, String(kept));
  } catch {
    // Not remembered when storage is forbidden.
  }
}

export function dividers(): void {
  for (const divider of document.querySelectorAll<HTMLElement>('.reading-divider')) {
    const page = divider.closest<HTMLElement>('.reading');
    if (!page) continue;
    let width = 400;
    try {
      width = Number(localStorage.getItem(KEY)) || width;
    } catch {
      // The default will do.
    }
    apply(page, divider, width);
    const now = (): number => Number(divider.getAttribute('aria-valuenow'));
    divider.addEventListener('pointerdown', (event) => {
      divider.setPointerCapture(event.pointerId);
      divider.classList.add('is-dragging');
    });
    divider.addEventListener('pointermove', (event) => {
      if (divider.hasPointerCapture(event.pointerId)) apply(page, divider, page.getBoundingClientRect().right - event.clientX);
    });
    divider.addEventListener('pointerup', () => divider.classList.remove('is-dragging'));
    divider.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowLeft') apply(page, divider, now() + 16);
      else if (event.key === 'ArrowRight') apply(page, divider, now() - 16);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
