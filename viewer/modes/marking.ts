/** Joins the drawn marks and the book of marks: what is drawn is saved, what is saved is shown, and layers beside it. */
import { MarksApi, valueOf, type MarkGeometry } from '../api/marks';
import { Unsent } from '../api/unsent';
import { toImage, type Plane } from '../core/geometry';
import { uuid } from '../core/ids';
import type { ImageInfo, SeriesInfo } from '../core/images';
import { LayerSet, type ShownLayer } from '../core/layers';
import { MarkBook, type BookMark } from '../core/mark-book';
import type { Drawn, Look, Measures } from '../tools/measures';

export interface MarkingHost {
  imageIdOf(geometry: MarkGeometry): string | null;
  imageOf(imageId: string): { image: ImageInfo; plane: Plane; info: SeriesInfo } | null;
  /** On an earlier timepoint: its marks can be looked at only. */
  isFixed(geometry: MarkGeometry): boolean;
  /** The form item that waits for a mark, taken once. */
  takeArmed(): { itemId: string; label: string } | null;
  drawnOne(): void;
  changed(): void;
  notice(message: string, action?: { name: string; act: () => void }): void;
  emit(type: string, detail: object): void;
}

export class Marking {
  readonly book: MarkBook;
  readonly layers = new LayerSet();
  measures: Measures | null = null;

  constructor(
    root: string,
    private readonly host: MarkingHost,
    private readonly isLocked: boolean,
  ) {
    this.book = new MarkBook(new MarksApi(root), new Unsent(), {
      changed: (mark, why) => this.changed(mark, why),
      removed: (markId, why) => this.removed(markId, why),
      saveState: (state, message) => host.emit('collegium:save-state', { state, message }),
      notice: (message) => host.notice(message),
    });
  }

  async load(signal: AbortSignal): Promise<void> {
    await this.book.load(signal);
    this.layers.fill(this.book.layers);
    this.place();
    const layers = this.layers.all.map(({ name, marks }) => ({ name, marks }));
    this.host.emit('collegium:marks-loaded', { marks: this.book.all.flatMap((mark) => mark.saved ?? []), layers });
    this.host.changed();
  }

  /** Draw the marks of the series on the screen, and take those of other series away. */
  place(): void {
    for (const mark of this.book.all) this.draw(mark);
    for (const layer of this.layers.all) this.drawLayer(layer);
  }

  /** Where a mark lies: one of the own or of a layer. */
  geometryOf(markId: string): MarkGeometry | null {
    return this.book.get(markId)?.geometry ?? this.layers.find(markId)?.mark ?? null;
  }

  /** The first mark that is meant, of the own ones and then of the layers. */
  first(isMeant: (geometry: MarkGeometry) => boolean): MarkGeometry | undefined {
    const own = this.book.all.map(({ geometry }) => geometry);
    return [...own, ...this.layers.all.flatMap(({ marks }) => marks)].find(isMeant);
  }

  drawn(drawn: Drawn, isNew: boolean): void {
    const found = this.host.imageOf(drawn.imageId);
    if (!found) return;
    const armed = isNew ? this.host.takeArmed() : null;
    const known = this.book.get(drawn.markId);
    const geometry: MarkGeometry = {
      kind: drawn.kind,
      series_uid: found.info.seriesUid,
      instance_uid: found.image.instanceUid,
      frame: found.image.frame,
      frame_of_reference_uid: found.image.frameOfReferenceUid,
      points: drawn.points,
      image_points: drawn.points.map((point) => toImage(found.plane, point)),
      label: armed?.label ?? known?.geometry.label ?? '',
    };
    this.book.draw(drawn.markId, geometry, armed?.itemId ?? null);
    if (isNew) this.host.drawnOne();
  }

  /** Strike out one of the reader's own marks; nothing else can be. */
  remove(markId: string): boolean {
    const mark = this.book.get(markId);
    if (!mark || this.isLocked || this.host.isFixed(mark.geometry)) return false;
    this.book.strikeOut(markId);
    this.host.notice('Mark removed.', { name: 'Undo', act: () => this.book.draw(uuid(), mark.geometry, mark.itemId) });
    return true;
  }

  showLayer(name: string, isShown: boolean): void {
    const layer = this.layers.show(name, isShown);
    if (layer) this.drawLayer(layer);
    this.host.changed();
  }

  close(): void {
    this.measures?.removeAll();
    this.book.close();
  }

  private changed(mark: BookMark, why: 'drawn' | 'saved' | 'stale' | 'state'): void {
    this.draw(mark);
    if (mark.saved && (why === 'saved' || why === 'stale')) this.host.emit('collegium:mark-saved', { mark: mark.saved, itemId: mark.itemId });
    this.host.changed();
  }

  private removed(markId: string, _why: string): void {
    this.measures?.remove(markId);
    this.host.emit('collegium:mark-removed', { markId });
    this.host.changed();
  }

  private draw(mark: BookMark): void {
    this.put(mark.markId, mark.geometry, this.look(mark));
    if (this.isLocked || this.host.isFixed(mark.geometry)) this.measures?.lock(mark.markId);
  }

  private drawLayer({ name, marks, place, sign, isShown }: ShownLayer): void {
    for (const mark of marks) {
      if (!isShown) {
        this.measures?.remove(mark.mark_id);
        continue;
      }
      const text = [sign, mark.label, valueOf(mark)].filter(Boolean).join('  ');
      this.put(mark.mark_id, mark, { text, as: place, ...(sign ? {} : { from: name }) });
      this.measures?.lock(mark.mark_id);
    }
  }

  private put(markId: string, geometry: MarkGeometry, look: Look): void {
    const imageId = this.host.imageIdOf(geometry);
    if (imageId) this.measures?.put({ markId, kind: geometry.kind, imageId, points: geometry.points }, look);
  }

  private look(mark: BookMark): Look {
    if (mark.state === 'refused') return { text: '', as: 'broken' };
    if (mark.state !== 'saved' || !mark.saved) return { text: '', as: 'unsaved' };
    return { text: [mark.geometry.label, valueOf(mark.saved)].filter(Boolean).join('  '), as: 'saved' };
  }
}
