/** The compared reads of an adjudication: a click on a measured value shows its mark on the image, and keys act there. */
interface Viewer extends HTMLElement {
  show(markId: string): Promise<void>;
}

export function listenToCompared(root: HTMLElement): void {
  const viewer = root.querySelector<Viewer>('collegium-viewer');
  root.addEventListener('click', (event) => {
    const mark = (event.target as Element).closest<HTMLElement>('[data-show-mark]')?.dataset['showMark'];
    if (mark) void viewer?.show(mark);
  });
}
