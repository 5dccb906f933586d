/** Joins the drawn lengths and the book of marks: what is drawn is saved, what is saved is shown. */
import { MarksApi, type MarkGeometry } from '../api/marks';
import { Unsent } from '../api/unsent';
import { toImage, type Plane, type Point3 } from '../core/geometry';
import { uuid } from '../core/ids';
import type { ImageInfo } from '../core/images';
import { MarkBook, type BookMark } from '../core/mark-book';
import type { Lengths, DrawnLength, LengthLook } from '../tools/lengths';

export interface MarkingHost {
  seriesUid: string;
  imageIdOf(geometry: MarkGeometry): string | null;
  imageOf(imageId: string): { image: ImageInfo; plane: Plane } | null;
  /** The form item that waits for a length, taken once. */
  takeArmed(): { itemId: string; label: string } | null;
  drawnOne(): void;
  changed(): void;
  notice(message: string, action?: { name: string; act: () => void }): void;
  emit(type: string, detail: object): void;
}

export class Marking {
  readonly book: MarkBook;
  lengths: Lengths | null = null;

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
    this.host.emit('collegium:marks-loaded', { marks: this.book.all.flatMap((mark) => mark.saved ?? []) });
    this.host.changed();
  }

  /** Draw the marks of the series on the screen. */
  place(): void {
    this.lengths?.removeAll();
    for (const mark of this.book.all) this.draw(mark);
  }

  drawn(length: DrawnLength, isNew: boolean): void {
    const found = this.host.imageOf(length.imageId);
    if (!found) return;
    const armed = isNew ? this.host.takeArmed() : null;
    const known = this.book.get(length.markId);
    const geometry: MarkGeometry = {
      kind: 'length',
      series_uid: this.host.seriesUid,
      instance_uid: found.image.instanceUid,
      frame: found.image.frame,
      frame_of_reference_uid: found.image.frameOfReferenceUid,
      points: length.points,
      image_points: length.points.map((point) => toImage(found.plane, point)),
      label: armed?.label ?? known?.geometry.label ?? '',
    };
    this.book.draw(length.markId, geometry, armed?.itemId ?? null);
    if (isNew) this.host.drawnOne();
  }

  remove(markId: string): void {
    const mark = this.book.get(markId);
    if (!mark || this.isLocked) return;
    this.book.strikeOut(markId);
    this.host.notice('Mark removed.', { name: 'Undo', act: () => this.book.draw(uuid(), mark.geometry, mark.itemId) });
  }

  close(): void {
    this.lengths?.removeAll();
    this.book.close();
  }

  private changed(mark: BookMark, why: 'drawn' | 'saved' | 'stale' | 'state'): void {
    this.draw(mark);
    if (mark.saved && (why === 'saved' || why === 'stale')) this.host.emit('collegium:mark-saved', { mark: mark.saved, itemId: mark.itemId });
    this.host.changed();
  }

  private removed(markId: string, _why: string): void {
    this.lengths?.remove(markId);
    this.host.emit('collegium:mark-removed', { markId });
    this.host.changed();
  }

  private draw(mark: BookMark): void {
    const imageId = mark.geometry.series_uid === this.host.seriesUid ? this.host.imageIdOf(mark.geometry) : null;
    const [a, b] = mark.geometry.points;
    if (!imageId || !a || !b || !this.lengths) return;
    this.lengths.put({ markId: mark.markId, imageId, points: [a, b] as [Point3, Point3] }, this.look(mark), this.isLocked);
  }

  private look(mark: BookMark): LengthLook {
    const isSaved = mark.state === 'saved' && mark.saved !== null;
    const value = isSaved ? `${mark.saved!.value} ${mark.saved!.unit}` : '';
    const prefix = mark.geometry.label ? `${mark.geometry.label}  ` : '';
    return { text: isSaved ? prefix + value : '', isSaved, isBroken: mark.state === 'refused' };
  }
}
