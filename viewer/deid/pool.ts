/** Workers with Python in them: one that starts with the page, more when there is much to do and the machine has the cores. */
import type { Answer, Ask, Recipe, Setting } from './messages';

/** Files for which one more worker's start is worth its seconds. */
const FILES_PER_WORKER = 150;
const MOST_WORKERS = 4;

class Helper {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'Python' });
  readonly started: Promise<Recipe[]>;
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private next = 1;

  constructor(python: string) {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const asked = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ('failure' in data) asked?.reject(new Error(data.failure));
      else asked?.resolve(data.value as never);
    };
    this.worker.onerror = (event) => this.fail(event.message);
    this.started = this.ask({ ask: 'start', python });
  }

  ask<T>(ask: Ask): Promise<T> {
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...ask, id });
    });
  }

  stop(): void {
    this.worker.terminate();
    this.fail('stopped');
  }

  private fail(why: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(why));
    this.waiting.clear();
  }
}

export class Pool {
  readonly recipes: Promise<Recipe[]>;
  private readonly helpers: Helper[] = [];
  private readonly python: string;

  /** `python`: the address of the zip with our Python. */
  constructor(python: string) {
    this.python = new URL(python, location.href).href;
    this.recipes = this.begin().started;
  }

  /** Of any worker. */
  ask<T>(ask: Ask): Promise<T> {
    return this.helpers[0]!.ask<T>(ask);
  }

  /**
   * Work on every job, in order, several at once where there are several workers.
   *
   * A worker takes its next job as soon as it has answered; `isCancelled` is asked before each.
   */
  async run<J>(jobs: J[], setting: Setting | null, work: (job: J, ask: <T>(ask: Ask) => Promise<T>) => Promise<void>, isCancelled: () => boolean): Promise<void> {
    const queue = jobs.values();
    const wanted = Math.min(MOST_WORKERS, Math.max(1, (navigator.hardwareConcurrency || 2) - 1), Math.ceil(jobs.length / FILES_PER_WORKER));
    const line = async (helper: Helper): Promise<void> => {
      await helper.started;
      if (setting) await helper.ask({ ask: 'set', setting });
      // Two jobs on the way to each worker: it never waits for the page.
      const lane = async (): Promise<void> => {
        for (let next = queue.next(); !next.done && !isCancelled(); next = queue.next()) await work(next.value, (ask) => helper.ask(ask));
      };
      await Promise.all([lane(), lane()]);
    };
    while (this.helpers.length < wanted) this.begin();
    await Promise.all(this.helpers.map(line));
  }

  stop(): void {
    for (const helper of this.helpers) helper.stop();
  }

  private begin(): Helper {
    const helper = new Helper(this.python);
    this.helpers.push(helper);
    return helper;
  }
}
