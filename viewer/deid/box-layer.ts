/** The boxes over the picture: drawn and sized with the mouse, moved with mouse or keys. It changes nothing by itself; it tells. */
import { make } from '../panels/dom';
import { between, shifted } from './boxes';
import type { Box } from './items';

const STEP = 4;

export class BoxLayer {
  added: (box: Omit<Box, 'only'>) => void = () => undefined;
  changed: (box: Box, change: Partial<Box>) => Box = (box) => box;
  removed: (box: Box) => void = () => undefined;
  /** A press on the picture while boxes are off, in its own pixels. */
  picked: (x: number, y: number) => void = () => undefined;
  /** While several pictures are shown at once. */
  isOff = false;
  private shown: Box[] = [];
  private chosen = -1;
  /** A box was made by key and is not drawn yet. */
  private isNewToCome = false;

  constructor(
    private readonly stage: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly layer: HTMLElement,
  ) {
    stage.addEventListener('pointerdown', (event) => this.down(event));
    new ResizeObserver(() => this.place()).observe(stage);
  }

  show(boxes: Box[]): void {
    const hadFocus = this.layer.contains(document.activeElement) || this.isNewToCome;
    if (this.isNewToCome) this.chosen = boxes.length - 1;
    this.isNewToCome = false;
    this.shown = boxes;
    this.layer.replaceChildren(...boxes.map((box, number) => this.element(box, number)));
    this.place();
    const chosen = this.layer.children[Math.min(this.chosen, boxes.length - 1)];
    if (hadFocus) (chosen instanceof HTMLElement ? chosen : this.stage).focus();
  }

  addInMiddle(): void {
    if (this.isOff) return;
    const { width, height } = this.canvas;
    const box = between(width * 0.375, height * 0.45, width * 0.625, height * 0.55, width, height);
    if (!box) return;
    this.isNewToCome = true;
    this.added(box);
  }

  private element(box: Box, number: number): HTMLElement {
    const words = `Box ${number + 1}: ${box.right - box.left} by ${box.bottom - box.top} pixels. Arrows move it, Shift and arrows size it, Delete takes it away.`;
    const element = make('button', { type: 'button', class: 'looking-box', 'aria-label': words }, make('span', { class: 'looking-grip' }));
    element.addEventListener('focus', () => (this.chosen = number));
    element.addEventListener('keydown', (event) => this.key(event, box));
    return element;
  }

  /** Where the picture lies in the stage, and how many screen pixels one of its own has. */
  private scale(): { left: number; top: number; zoom: number } {
    const area = this.canvas.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    // The picture lies in the middle of its element, as large as fits.
    const zoom = Math.min(area.width / Math.max(1, this.canvas.width), area.height / Math.max(1, this.canvas.height));
    const left = area.left - stage.left + (area.width - this.canvas.width * zoom) / 2;
    return { left, top: area.top - stage.top + (area.height - this.canvas.height * zoom) / 2, zoom };
  }

  private place(): void {
    const { left, top, zoom } = this.scale();
    [...this.layer.children].forEach((element, number) => {
      const box = this.shown[number];
      if (box && element instanceof HTMLElement) this.put(element, box, left, top, zoom);
    });
  }

  private put(element: HTMLElement, box: Box, left: number, top: number, zoom: number): void {
    const { style } = element;
    style.left = `${left + box.left * zoom}px`;
    style.top = `${top + box.top * zoom}px`;
    style.width = `${(box.right - box.left) * zoom}px`;
    style.height = `${(box.bottom - box.top) * zoom}px`;
  }

  private pointOf(event: PointerEvent): [number, number] {
    const { left, top, zoom } = this.scale();
    const stage = this.stage.getBoundingClientRect();
    return [(event.clientX - stage.left - left) / zoom, (event.clientY - stage.top - top) / zoom];
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const target = event.target as HTMLElement;
    const element = target.closest<HTMLElement>('.looking-box');
    const [x, y] = this.pointOf(event);
    const isInside = x >= 0 && y >= 0 && x < this.canvas.width && y < this.canvas.height;
    if (this.isOff) {
      if (isInside) this.picked(x, y);
    } else if (element) this.drag(event, element, this.shown[[...this.layer.children].indexOf(element)]!, x, y, target !== element);
    else this.begin(event, x, y);
  }

  private begin(event: PointerEvent, x: number, y: number): void {
    const ghost = make('div', { class: 'looking-box is-new' });
    this.layer.append(ghost);
    const boxAt = (now: PointerEvent): Omit<Box, 'only'> | null => between(x, y, ...this.pointOf(now), this.canvas.width, this.canvas.height);
    this.follow(event, (now) => {
      const box = boxAt(now);
      const { left, top, zoom } = this.scale();
      if (box) this.put(ghost, { ...box, only: '' }, left, top, zoom);
    }, (last) => {
      ghost.remove();
      const box = boxAt(last);
      if (box) this.added(box);
    });
  }

  private drag(event: PointerEvent, element: HTMLElement, box: Box, x: number, y: number, isSizing: boolean): void {
    const boxAt = (now: PointerEvent): Box => {
      const [nowX, nowY] = this.pointOf(now);
      return shifted(box, Math.round(nowX - x), Math.round(nowY - y), isSizing, this.canvas.width, this.canvas.height);
    };
    element.focus();
    this.follow(event, (now) => {
      const { left, top, zoom } = this.scale();
      this.put(element, boxAt(now), left, top, zoom);
    }, (last) => {
      const next = boxAt(last);
      if (next.left !== box.left || next.top !== box.top || next.right !== box.right || next.bottom !== box.bottom) this.changed(box, next);
    });
  }

  private follow(event: PointerEvent, moved: (now: PointerEvent) => void, ended: (last: PointerEvent) => void): void {
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    const end = (last: PointerEvent): void => {
      this.stage.removeEventListener('pointermove', moved);
      this.stage.removeEventListener('pointerup', end);
      this.stage.removeEventListener('pointercancel', end);
      ended(last);
    };
    this.stage.addEventListener('pointermove', moved);
    this.stage.addEventListener('pointerup', end);
    this.stage.addEventListener('pointercancel', end);
  }

  private key(event: KeyboardEvent, box: Box): void {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const step = steps[event.key];
    if (step) this.changed(box, shifted(box, ...step, event.shiftKey, this.canvas.width, this.canvas.height));
    else if (event.key === 'Delete' || event.key === 'Backspace') this.removed(box);
    else return;
    event.preventDefault();
  }
}
