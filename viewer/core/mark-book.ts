/**
 * The marks of this viewer and their way to the server.
 *
 * One request in flight a mark; of what is drawn meanwhile only the latest is sent, after the one before is settled. Every operation is kept until
 * the server confirms it, and is sent again with growing pauses, so it must carry the same operation id. A newer revision
 * on the server wins: it is shown, and the reader is told.
 */
import { isStruckOut, type Layer, type Mark, type MarkGeometry, type MarksApi } from '../api/marks';
import type { Unsent, UnsentOp } from '../api/unsent';
import { uuid } from './ids';

export type MarkState = 'saved' | 'saving' | 'waiting' | 'refused';

export interface BookMark {
  markId: string;
  geometry: MarkGeometry;
  saved: Mark | null;
  state: MarkState;
  message: string;
  itemId: string | null;
}

export interface BookListener {
  changed(mark: BookMark, why: 'drawn' | 'saved' | 'stale' | 'state'): void;
  removed(markId: string, why: 'struck-out' | 'stale'): void;
  saveState(state: 'saved' | 'saving' | 'failed', message: string): void;
  notice(message: string): void;
}

const PAUSES_MS = [1000, 2000, 5000, 10_000, 30_000];

const geometryOf = (mark: Mark): MarkGeometry => ({
  kind: mark.kind,
  series_uid: mark.series_uid,
  instance_uid: mark.instance_uid,
  frame: mark.frame,
  frame_of_reference_uid: mark.frame_of_reference_uid,
  points: mark.points,
  image_points: mark.image_points,
  label: mark.label,
});

export class MarkBook {
  private readonly marks = new Map<string, BookMark>();
  /** Revision that the server last told, also of marks that are struck out here but not yet there. */
  private readonly revisions = new Map<string, number>();
  private readonly queues = new Map<string, UnsentOp[]>();
  /** Operations that may have reached the server: they are settled before any other of their mark. */
  private readonly tried = new Set<string>();
  private readonly inFlight = new Set<string>();
  private readonly attempts = new Map<string, number>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Marks of others, which the server shows beside the reader's own. */
  layers: readonly Layer[] = [];
  private made = Date.now();
  private closed = false;

  constructor(
    private readonly api: MarksApi,
    private readonly unsent: Unsent,
    private readonly listener: BookListener,
  ) {}

  get all(): BookMark[] {
    return [...this.marks.values()];
  }

  get(markId: string): BookMark | undefined {
    return this.marks.get(markId);
  }

  get hasUnsent(): boolean {
    return this.queues.size > 0;
  }

  /** Marks of the server, then whatever this browser still owes it. */
  async load(signal: AbortSignal): Promise<void> {
    const [found, owed] = await Promise.all([this.api.list(signal), this.unsent.of(this.api.root)]);
    this.layers = found.layers;
    for (const mark of found.marks) {
      this.revisions.set(mark.mark_id, mark.revision);
      this.marks.set(mark.mark_id, { markId: mark.mark_id, geometry: geometryOf(mark), saved: mark, state: 'saved', message: '', itemId: null });
    }
    for (const op of owed) this.recall(op);
    for (const mark of this.marks.values()) this.listener.changed(mark, 'drawn');
    for (const markId of this.queues.keys()) void this.send(markId);
  }

  private recall(op: UnsentOp): void {
    this.tried.add(op.opId);
    this.queues.set(op.markId, [...(this.queues.get(op.markId) ?? []), op]);
    if (op.geometry === null) {
      this.marks.delete(op.markId);
      return;
    }
    const saved = this.marks.get(op.markId)?.saved ?? null;
    this.marks.set(op.markId, { markId: op.markId, geometry: op.geometry, saved, state: 'waiting', message: '', itemId: op.itemId });
  }

  draw(markId: string, geometry: MarkGeometry, itemId: string | null): void {
    const known = this.marks.get(markId);
    const mark: BookMark = {
      markId,
      geometry,
      saved: known?.saved ?? null,
      state: 'saving',
      message: '',
      itemId: itemId ?? known?.itemId ?? null,
    };
    this.marks.set(markId, mark);
    this.listener.changed(mark, 'drawn');
    void this.queue(markId, geometry, mark.itemId);
  }

  strikeOut(markId: string): void {
    const known = this.marks.get(markId);
    if (!known) return;
    this.marks.delete(markId);
    this.listener.removed(markId, 'struck-out');
    void this.queue(markId, null, known.itemId);
  }

  /** Send what waits, now: the reader asked, or the network is back. */
  retry(): void {
    for (const mark of this.marks.values()) {
      if (mark.state === 'refused') this.draw(mark.markId, mark.geometry, mark.itemId);
    }
    for (const markId of this.queues.keys()) void this.send(markId);
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    void this.unsent.close();
  }

  private async queue(markId: string, geometry: MarkGeometry | null, itemId: string | null): Promise<void> {
    const kept = (this.queues.get(markId) ?? []).filter((op) => this.tried.has(op.opId));
    const replaced = (this.queues.get(markId) ?? []).filter((op) => !this.tried.has(op.opId));
    const isUnknownToServer = !this.revisions.has(markId) && kept.length === 0;
    const op: UnsentOp = { opId: uuid(), root: this.api.root, markId, made: this.made++, baseRevision: 0, geometry, itemId };
    if (geometry !== null || !isUnknownToServer) kept.push(op);
    if (kept.length > 0) this.queues.set(markId, kept);
    else this.queues.delete(markId);
    this.tell();
    for (const old of replaced) await this.unsent.drop(old);
    if (kept.includes(op)) {
      await this.unsent.keep(op);
      await this.send(markId);
    }
  }

  private async send(markId: string): Promise<void> {
    const op = this.queues.get(markId)?.[0];
    if (!op || this.inFlight.has(markId) || this.closed) return;
    clearTimeout(this.timers.get(markId));
    this.inFlight.add(markId);
    if (!this.tried.has(op.opId)) {
      // The first try decides the revision; a repetition must say the same.
      op.baseRevision = this.revisions.get(markId) ?? 0;
      this.tried.add(op.opId);
      await this.unsent.keep(op);
    }
    const answer = op.geometry
      ? await this.api.put(markId, op.opId, op.baseRevision, op.geometry)
      : await this.api.strikeOut(markId, op.opId, op.baseRevision);
    this.inFlight.delete(markId);
    if (this.closed) {
      if (answer.kind === 'saved') await this.unsent.drop(op);
      return;
    }
    if (answer.kind === 'later') {
      this.later(op, answer.message);
      return;
    }
    await this.settle(op);
    if (answer.kind === 'saved') this.confirmed(op, answer.mark);
    else if (answer.kind === 'stale') await this.overtaken(op, answer.mark, answer.message);
    else this.refused(op, answer.message);
    this.tell();
    void this.send(markId);
  }

  private async settle(op: UnsentOp): Promise<void> {
    this.attempts.delete(op.markId);
    this.tried.delete(op.opId);
    const rest = (this.queues.get(op.markId) ?? []).filter((other) => other !== op);
    if (rest.length > 0) this.queues.set(op.markId, rest);
    else this.queues.delete(op.markId);
    await this.unsent.drop(op);
  }

  private confirmed(op: UnsentOp, saved: Mark | null): void {
    this.revisions.set(op.markId, saved?.revision ?? op.baseRevision + 1);
    const mark = this.marks.get(op.markId);
    if (!mark || !saved || !op.geometry) return;
    const isLatest = !this.queues.has(op.markId);
    const now: BookMark = { ...mark, saved, state: isLatest ? 'saved' : 'saving', message: '' };
    this.marks.set(op.markId, now);
    this.listener.changed(now, isLatest ? 'saved' : 'state');
  }

  private async overtaken(op: UnsentOp, theirs: Mark | null, message: string): Promise<void> {
    const later = this.queues.get(op.markId) ?? [];
    this.queues.delete(op.markId);
    for (const other of later) await this.unsent.drop(other);
    if (theirs && !isStruckOut(theirs)) {
      this.revisions.set(op.markId, theirs.revision);
      const now: BookMark = { markId: op.markId, geometry: geometryOf(theirs), saved: theirs, state: 'saved', message: '', itemId: op.itemId };
      this.marks.set(op.markId, now);
      this.listener.changed(now, 'stale');
    } else {
      if (theirs) this.revisions.set(op.markId, theirs.revision);
      this.marks.delete(op.markId);
      this.listener.removed(op.markId, 'stale');
    }
    this.listener.notice(`${message} The version on the server is shown; draw again if it is wrong.`);
  }

  private refused(op: UnsentOp, message: string): void {
    const mark = this.marks.get(op.markId);
    if (mark && op.geometry) this.become({ ...mark, state: 'refused', message });
    this.listener.notice(`Not saved: ${message}`);
  }

  private later(op: UnsentOp, message: string): void {
    const attempt = this.attempts.get(op.markId) ?? 0;
    this.attempts.set(op.markId, attempt + 1);
    const pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]!;
    this.timers.set(op.markId, setTimeout(() => void this.send(op.markId), pause));
    const mark = this.marks.get(op.markId);
    if (mark) this.become({ ...mark, state: 'waiting', message });
    this.listener.saveState('failed', `${message} Your marks are kept here and saved when it is back.`);
  }

  private become(mark: BookMark): void {
    this.marks.set(mark.markId, mark);
    this.listener.changed(mark, 'state');
  }

  private tell(): void {
    if (this.attempts.size > 0) return;
    if (this.hasUnsent) this.listener.saveState('saving', '');
    else if (this.all.some((mark) => mark.state === 'refused')) this.listener.saveState('failed', 'A mark was not saved.');
    else this.listener.saveState('saved', '');
  }
}
