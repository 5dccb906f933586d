/**
 * Changes on their way to the server: in order, one request in flight, tried again until the server has answered.
 *
 * The server knows each operation by its id, so trying again is safe. A change made while a request is under way joins
 * the next operation; a later change of the same item replaces the earlier one there.
 */
import { post, Refusal } from './request';
import type { SaveState } from './save-state';
import type { Change, Operation, Saved } from './types';
import type { UnsentStore } from './unsent';

const RETRY_MS = [1000, 2000, 5000, 10_000, 20_000];

export class Queue {
  /** Called after each save with how the changed items look. */
  onSaved: (saved: Saved) => void = () => undefined;
  /** Called when the page may be gone soon: whatever is typed must be added now. */
  beforeLeaving: () => void = () => undefined;
  private readonly waiting: Operation[] = [];
  private isSending = false;
  private isRestored = false;
  private isStopped = false;
  private failures = 0;
  private timer = 0;
  private idle: (() => void)[] = [];

  constructor(
    private readonly address: string,
    private revision: number,
    private readonly store: UnsentStore,
    private readonly state: SaveState,
  ) {
    addEventListener('online', () => this.tryNow());
    addEventListener('beforeunload', (event) => {
      this.beforeLeaving();
      if (this.waiting.length && !this.isStopped) event.preventDefault();
    });
    // A tab that is put aside may never come back.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.beforeLeaving();
    });
  }

  get shownRevision(): number {
    return this.revision;
  }

  /** Take up what an earlier page could not send, before anything else; returns those changes, newest last, that nothing replaced since. */
  async restore(): Promise<[string, Change][]> {
    const kept = await this.store.read();
    const since = new Set(this.waiting.flatMap(({ changes }) => Object.keys(changes)));
    this.waiting.unshift(...kept);
    this.isRestored = true;
    if (kept.length) void this.store.write(this.waiting);
    if (this.waiting.length) void this.send();
    return kept.flatMap((operation) => Object.entries(operation.changes)).filter(([item]) => !since.has(item));
  }

  add(item: string, change: Change): void {
    if (this.isStopped) return;
    const last = this.waiting.at(-1);
    // An operation that was sent once keeps its content: the server may know it already.
    if (last?.base === null) last.changes[item] = change;
    else this.waiting.push({ op_id: crypto.randomUUID(), seen: this.revision, base: null, changes: { [item]: change } });
    // While the server does not answer the line goes on saying so.
    if (this.failures === 0) this.state.saving();
    // Until it is known what an earlier page left, the store still holds that.
    if (this.isRestored) void this.store.write(this.waiting);
    void this.send();
  }

  /** Resolves when everything is saved; rejects when saving was refused. */
  settled(): Promise<void> {
    if (this.isStopped) return Promise.reject(new Error('stopped'));
    if (!this.waiting.length) return Promise.resolve();
    this.tryNow();
    return new Promise((resolve, reject) => {
      this.idle.push(() => (this.isStopped ? reject(new Error('stopped')) : resolve()));
    });
  }

  tryNow(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    void this.send();
  }

  private async send(): Promise<void> {
    if (this.isSending || this.isStopped || this.timer || !this.isRestored) return;
    const operation = this.waiting[0];
    if (!operation) return;
    this.isSending = true;
    // An operation of an earlier page stands on the revision that page showed: if others saved since, the server says so.
    operation.base ??= Math.min(operation.seen, this.revision);
    await this.store.write(this.waiting);
    try {
      const saved = await post<Saved>(this.address, {
        op_id: operation.op_id,
        base_revision: operation.base,
        changes: operation.changes,
      });
      this.waiting.shift();
      this.revision = saved.revision;
      for (const next of this.waiting) next.seen = saved.revision;
      this.failures = 0;
      await this.store.write(this.waiting);
      this.onSaved(saved);
      if (!this.waiting.length) this.finish(saved.saved_at);
    } catch (error) {
      if (error instanceof Refusal) await this.refused(error);
      else this.again();
    } finally {
      this.isSending = false;
    }
    if (this.waiting.length && !this.timer) void this.send();
  }

  private finish(savedAt: string): void {
    this.state.saved(savedAt);
    for (const call of this.idle.splice(0)) call();
  }

  private again(): void {
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? 1000;
    this.failures += 1;
    this.state.failed(this.failures, () => this.tryNow());
    this.timer = window.setTimeout(() => this.tryNow(), wait);
  }

  private async refused(refusal: Refusal): Promise<void> {
    if (refusal.status === 401) {
      // Kept in this browser; the page after signing in sends it.
      this.stop();
      this.state.sessionEnded();
      return;
    }
    if (refusal.code === 'forms.entry.stale') {
      this.stop();
      await this.store.write([]);
      this.state.stale();
      return;
    }
    const lost = this.waiting.shift();
    await this.store.write(this.waiting);
    this.state.refused(refusal, Object.keys(lost?.changes ?? {}));
    if (!this.waiting.length) for (const call of this.idle.splice(0)) call();
  }

  private stop(): void {
    this.isStopped = true;
    for (const call of this.idle.splice(0)) call();
  }
}
