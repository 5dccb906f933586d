/** `<button class="id" data-copy="2.25.1…">`: a click copies, and says so. */
export function copyOnClick(): void {
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('[data-copy]');
    if (!button) return;
    const text = button.dataset['copy'] || button.textContent.trim();
    void navigator.clipboard.writeText(text).then(() => {
      button.classList.add('is-copied');
      const title = button.title;
      button.title = 'Copied';
      setTimeout(() => {
        button.classList.remove('is-copied');
        button.title = title;
      }, 1200);
    });
  });
}
