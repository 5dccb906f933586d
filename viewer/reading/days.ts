/**
 * `<button data-pick-day>` beside a date's text: the browser's own calendar, for who would rather choose than type. The
 * text stays the answer, so that a year or a month alone can be given where the form takes them.
 */
export function dayPickers(root: HTMLElement): void {
  root.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-pick-day]');
    const parts = button && partsOf(button);
    if (!parts) return;
    const { text, picker } = parts;
    picker.value = /^\d{4}-\d{2}-\d{2}$/.test(text.value) ? text.value : '';
    picker.showPicker();
  });
  root.addEventListener('change', (event) => {
    const chosen = event.target as HTMLElement;
    if (!(chosen instanceof HTMLInputElement) || !chosen.matches('[data-day]')) return;
    const parts = partsOf(chosen);
    if (!parts || !chosen.value) return;
    event.stopPropagation();
    parts.text.value = chosen.value;
    parts.text.dispatchEvent(new Event('change', { bubbles: true }));
    parts.text.focus();
  });
}

function partsOf(inside: Element): { text: HTMLInputElement; picker: HTMLInputElement } | null {
  const field = inside.closest('.item-date');
  const text = field?.querySelector<HTMLInputElement>('[data-answer]');
  const picker = field?.querySelector<HTMLInputElement>('[data-day]');
  return text && picker ? { text, picker } : null;
}
