/** The slider beside the image; its track shows which images are loaded. */
import type { FrameState } from '../imaging/loading';
import { make } from './dom';

export class Slider {
  readonly element = make('div', { class: 'slider', hidden: true });
  private readonly input = make('input', { type: 'range', min: '0', step: '1', 'aria-label': 'Image', 'aria-orientation': 'vertical' });
  private readonly track = make('canvas', { width: '1', height: '1', 'aria-hidden': 'true' });
  private waiting = 0;

  constructor(goTo: (index: number) => void) {
    this.input.addEventListener('input', () => goTo(Number(this.input.value)));
    // The viewer's own keys move images; the slider would move a second time.
    this.input.addEventListener('keydown', (event) => {
      if (event.key.startsWith('Arrow') || event.key.startsWith('Page') || event.key === 'Home' || event.key === 'End') event.preventDefault();
    });
    this.element.append(this.track, this.input);
  }

  show(target: number, count: number): void {
    this.element.hidden = count < 2;
    this.input.max = String(Math.max(0, count - 1));
    this.input.value = String(target);
    this.input.setAttribute('aria-valuetext', `Image ${target + 1} of ${count}`);
  }

  loaded(states: readonly FrameState[]): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => {
      this.track.height = Math.max(1, states.length);
      const context = this.track.getContext('2d')!;
      states.forEach((state, index) => {
        if (state === 'none') return;
        context.fillStyle = state === 'loaded' ? '#2f8f86' : '#d9534f';
        context.fillRect(0, index, 1, 1);
      });
    });
  }
}
