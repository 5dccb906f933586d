/**
 * Operations that the server has not confirmed, kept in IndexedDB: they survive a reload and a killed browser.
 *
 * Where storage is forbidden the page still works; then only an open page keeps them.
 */
import type { Operation } from './types';

const DATABASE = 'collegium-reading';
const STORE = 'unsent';

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('storage'));
  });
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return asked(request);
}

export class UnsentStore {
  private database: Promise<IDBDatabase> | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly entry: string) {}

  async read(): Promise<Operation[]> {
    try {
      const found: unknown = await asked((await this.store('readonly')).get(this.entry));
      return Array.isArray(found) ? (found as Operation[]) : [];
    } catch {
      return [];
    }
  }

  /** Writes follow one another in order; the newest list always wins. */
  write(operations: readonly Operation[]): Promise<void> {
    const copy = structuredClone(operations) as Operation[];
    const turn = this.last.then(() => this.put(copy));
    this.last = turn;
    return turn;
  }

  private async put(operations: Operation[]): Promise<void> {
    try {
      const store = await this.store('readwrite');
      await (operations.length ? asked(store.put(operations, this.entry)) : asked(store.delete(this.entry)));
    } catch {
      // Forbidden or full: the operations stay in memory.
    }
  }

  private async store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.database ??= opened();
    return (await this.database).transaction(STORE, mode).objectStore(STORE);
  }
}
