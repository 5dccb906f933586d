/** The dialog in which a person looks at all pictures of a group, covers what must not be seen, and says so. */
import { make } from '../panels/dom';
import { BoxLayer } from './box-layer';
import { Boxes, coversOf } from './boxes';
import { cover } from './cover';
import { draw, type Contrast } from './drawing';
import { placeOfFrame, unpacked } from './frames';
import type { Box, Fill, Group, Item } from './items';
import { part } from './parts';

const PLAY_MS = 120;
const PAGE = 10;
/** Pictures in a row, and in a column, when several are shown at once. */
const SIDE = 3;
const TILES = SIDE * SIDE;

/** One frame of one item. */
interface Shown {
  item: Item;
  frame: number;
}

export class Looking {
  private group: Group | null = null;
  private boxes: Boxes | null = null;
  private pictures: Shown[] = [];
  private at = 0;
  private drawn = 0;
  private seen = new Set<number>();
  private readonly seenOf = new WeakMap<Group, Set<number>>();
  private playing = 0;
  private isGrid = false;
  private readonly layer: BoxLayer;
  private readonly canvas: HTMLCanvasElement;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly left: () => void,
  ) {
    this.canvas = part(dialog, '[data-canvas]');
    this.layer = new BoxLayer(part(dialog, '[data-stage]'), this.canvas, part(dialog, '[data-boxes]'));
    this.layer.added = (box) => this.boxes?.add({ ...box, only: '' });
    this.layer.changed = (box, change) => this.boxes!.replace(box, change);
    this.layer.removed = (box) => this.boxes?.remove(box);
    this.listen();
  }

  open(group: Group): void {
    this.group = group;
    this.boxes = new Boxes(group, () => this.boxesChanged());
    this.pictures = picturesOf(group);
    this.seen = this.seenOf.get(group) ?? new Set();
    this.seenOf.set(group, this.seen);
    part(this.dialog, '[data-looking-kind]').textContent = group.items[0]!.told.kind;
    part(this.dialog, '[data-looking-why]').textContent = group.items[0]!.told.reason;
    part<HTMLSelectElement>(this.dialog, '[data-fill]').value = group.fill;
    part<HTMLInputElement>(this.dialog, '[data-slider]').max = String(this.pictures.length);
    part<HTMLInputElement>(this.dialog, '[data-looked]').checked = group.isConfirmed;
    this.showAtOnce(false);
    this.dialog.showModal();
    part(this.dialog, '[data-stage]').focus();
    void this.show(0);
  }

  /** Pictures of the group that came since it was opened must be seen as well. */
  refresh(): void {
    if (!this.group || !this.dialog.open) return;
    const pictures = picturesOf(this.group);
    if (pictures.length === this.pictures.length) return;
    this.pictures = pictures;
    part<HTMLInputElement>(this.dialog, '[data-slider]').max = String(pictures.length);
    part<HTMLInputElement>(this.dialog, '[data-looked]').checked = false;
    this.tellPlace();
    this.tellReady();
  }

  /** Draw a picture, or those of one page of several. */
  async show(at: number): Promise<void> {
    const wanted = Math.min(this.pictures.length - 1, Math.max(0, at));
    const turn = ++this.drawn;
    const first = this.isGrid ? wanted - (wanted % TILES) : wanted;
    const shown = this.pictures.slice(first, first + (this.isGrid ? TILES : 1));
    const images = await Promise.all(shown.map((one) => this.image(one))).catch(() => null);
    // The person has turned on meanwhile.
    if (turn !== this.drawn || !this.group) return;
    if (!images) return this.tellUnreadable();
    this.at = wanted;
    this.lay(images, this.isGrid ? SIDE : 1);
    shown.forEach((_, number) => this.seen.add(first + number));
    this.layer.show(this.isGrid ? [] : coversOf(this.group, shown[0]!.item.told.instance));
    this.tellPlace();
    this.tellBoxes();
    this.tellReady();
  }

  /** One picture as it will be saved, boxes covered. */
  private async image({ item, frame }: Shown): Promise<ImageData> {
    const picture = item.told.picture!;
    const packed = new Uint8Array(await item.pixels.slice(...placeOfFrame(picture, frame)).arrayBuffer());
    const bytes = unpacked(packed, picture);
    cover(bytes, picture, coversOf(this.group!, item.told.instance), this.group!.fill);
    return draw(bytes, picture, part<HTMLSelectElement>(this.dialog, '[data-window]').value as Contrast);
  }

  private lay(images: ImageData[], side: number): void {
    const width = Math.max(...images.map((image) => image.width));
    const height = Math.max(...images.map((image) => image.height));
    [this.canvas.width, this.canvas.height] = [side * width, side * height];
    const context = this.canvas.getContext('2d')!;
    images.forEach((image, number) => context.putImageData(image, (number % side) * width, Math.floor(number / side) * height));
  }

  private showAtOnce(isGrid: boolean): void {
    this.isGrid = isGrid;
    this.layer.isOff = isGrid;
    part(this.dialog, '[data-grid]').setAttribute('aria-pressed', String(isGrid));
  }

  private toggleGrid(): void {
    this.showAtOnce(!this.isGrid);
    void this.show(this.at);
  }

  private tellPlace(): void {
    const count = this.pictures.length;
    const first = this.at - (this.at % TILES) + 1;
    const where = this.isGrid ? `${first} to ${Math.min(count, first + TILES - 1)}` : `${this.at + 1}`;
    part(this.dialog, '[data-where]').textContent = `${where} of ${count}`;
    const slider = part<HTMLInputElement>(this.dialog, '[data-slider]');
    slider.value = String(this.at + 1);
    slider.setAttribute('aria-valuetext', `${where} of ${count}`);
  }

  /** Whether it may be confirmed, and what is missing. */
  private tellReady(): void {
    const left = this.pictures.length - this.seen.size;
    const looked = part<HTMLInputElement>(this.dialog, '[data-looked]');
    looked.disabled = left > 0;
    part(this.dialog, '[data-unseen]').textContent = left ? `${left} still to see` : '';
    part<HTMLButtonElement>(this.dialog, '[data-confirm]').disabled = !looked.checked || left > 0;
  }

  /** The last picture that could be read stays, and this one counts as not seen. */
  private tellUnreadable(): void {
    this.stop();
    part(this.dialog, '[data-unseen]').textContent = 'The next picture cannot be read: its file was changed, moved or damaged.';
  }

  private tellBoxes(): void {
    part<HTMLButtonElement>(this.dialog, '[data-undo]').disabled = !this.boxes?.canUndo;
    part(this.dialog, '[data-no-boxes]').hidden = this.isGrid || this.boxes!.all.length > 0;
    part(this.dialog, '[data-many]').hidden = !this.isGrid;
    part(this.dialog, '[data-box-list]').replaceChildren(...this.boxes!.all.map((box, number) => this.line(box, number)));
  }

  private line(box: Box, number: number): HTMLElement {
    const whose = make('select', { class: 'form-select form-select-sm', 'aria-label': `Box ${number + 1} is for` });
    whose.append(new Option('every picture', ''), new Option('this picture', this.pictures[this.at]!.item.told.instance));
    if (box.only && box.only !== this.pictures[this.at]!.item.told.instance) whose.append(new Option('another picture', box.only));
    whose.value = box.only;
    whose.addEventListener('change', () => this.boxes!.replace(box, { only: whose.value }));
    const size = make('span', { class: 'tabular muted' }, `${box.right - box.left} × ${box.bottom - box.top}`);
    const remove = make('button', { type: 'button', class: 'btn btn-icon btn-quiet btn-sm', 'aria-label': `Take box ${number + 1} away` }, make('i', { class: 'ti ti-trash', 'aria-hidden': 'true' }));
    remove.addEventListener('click', () => this.boxes!.remove(box));
    return make('li', {}, size, whose, remove);
  }

  private boxesChanged(): void {
    // At once: until the picture is drawn nothing may be confirmed of what is no longer so.
    part<HTMLInputElement>(this.dialog, '[data-looked]').checked = false;
    this.tellReady();
    void this.show(this.at);
  }

  private listen(): void {
    const on = (selector: string, kind: string, act: (element: HTMLElement) => void): void => {
      for (const element of this.dialog.querySelectorAll<HTMLElement>(selector)) element.addEventListener(kind, () => act(element));
    };
    on('[data-turn]', 'click', (button) => this.turn(Number(button.dataset['turn'])));
    on('[data-play]', 'click', () => this.play());
    on('[data-grid]', 'click', () => this.toggleGrid());
    on('[data-slider]', 'input', (slider) => void this.show(Number((slider as HTMLInputElement).value) - 1));
    on('[data-window]', 'change', () => void this.show(this.at));
    on('[data-fill]', 'change', (select) => this.fillWith((select as HTMLSelectElement).value as Fill));
    on('[data-undo]', 'click', () => this.boxes?.undo());
    on('[data-looked]', 'change', () => this.tellReady());
    on('[data-confirm]', 'click', () => this.confirm());
    this.layer.picked = (x, y) => {
      this.showAtOnce(false);
      const tile = Math.floor((x / this.canvas.width) * SIDE) + SIDE * Math.floor((y / this.canvas.height) * SIDE);
      void this.show(this.at - (this.at % TILES) + tile);
    };
    this.dialog.addEventListener('close', () => {
      this.stop();
      this.left();
    });
    this.dialog.addEventListener('keydown', (event) => this.key(event));
  }

  private fillWith(fill: Fill): void {
    this.group!.fill = fill;
    this.group!.isConfirmed = this.group!.isSaved = false;
    this.boxesChanged();
  }

  private turn(by: number): void {
    this.stop();
    void this.show(this.at + by * (this.isGrid ? TILES : 1));
  }

  private play(): void {
    if (this.playing) return this.stop();
    const from = this.at === this.pictures.length - 1 ? -1 : this.at;
    part(this.dialog, '[data-play]').setAttribute('aria-pressed', 'true');
    const step = async (at: number): Promise<void> => {
      await this.show(at);
      if (!this.playing) return;
      const next = this.isGrid ? at - (at % TILES) + TILES : at + 1;
      if (next >= this.pictures.length) this.stop();
      else this.playing = window.setTimeout(() => void step(next), this.isGrid ? PLAY_MS * TILES : PLAY_MS);
    };
    this.playing = -1;
    void step(from + 1);
  }

  private stop(): void {
    window.clearTimeout(this.playing);
    this.playing = 0;
    part(this.dialog, '[data-play]').setAttribute('aria-pressed', 'false');
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLSelectElement || event.target instanceof HTMLInputElement) return;
    const isChord = event.ctrlKey || event.metaKey || event.altKey;
    const isUndo = event.key === 'z' && (event.ctrlKey || event.metaKey);
    // Other chords are the browser's own.
    if (isChord && !isUndo) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => this.turn(-1), ArrowUp: () => this.turn(-1), ArrowRight: () => this.turn(1), ArrowDown: () => this.turn(1),
      PageUp: () => this.turn(-PAGE), PageDown: () => this.turn(PAGE), Home: () => this.turn(-this.pictures.length), End: () => this.turn(this.pictures.length),
      n: () => this.layer.addInMiddle(),
      g: () => this.toggleGrid(),
    };
    const act = isUndo ? () => this.boxes?.undo() : acts[name];
    const isOnButton = event.target instanceof HTMLButtonElement;
    const isForSpace = isOnButton || (event.target instanceof HTMLElement && event.target.tagName === 'SUMMARY');
    if (act && !(isOnButton && event.target.classList.contains('looking-box') && event.key.startsWith('Arrow'))) {
      event.preventDefault();
      act();
    } else if (name === ' ' && !isForSpace) {
      event.preventDefault();
      this.play();
    }
  }

  private confirm(): void {
    this.refresh();
    if (part<HTMLButtonElement>(this.dialog, '[data-confirm]').disabled) return;
    this.group!.isConfirmed = true;
    this.dialog.close();
  }
}

function picturesOf(group: Group): Shown[] {
  return group.items.flatMap((item) => Array.from({ length: item.told.picture!.frames }, (_, frame) => ({ item, frame })));
}
