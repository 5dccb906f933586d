/**
 * Operations that the server has not confirmed, kept in IndexedDB so that a closed tab or a lost network loses nothing.
 *
 * Where IndexedDB is missing (private windows of some browsers) the operations live in memory: saving still works, only
 * surviving the tab does not.
 */
import type { MarkGeometry } from './marks';

export interface UnsentOp {
  opId: string;
  root: string;
  markId: string;
  /** Order in which they were made. */
  made: number;
  baseRevision: number;
  /** null strikes the mark out. */
  geometry: MarkGeometry | null;
  itemId: string | null;
}

const DATABASE = 'collegium-viewer';
const TABLE = 'unsent';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE, { keyPath: 'opId' }).createIndex('root', 'root');
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('IndexedDB'));
  });
}

export class Unsent {
  private readonly memory = new Map<string, UnsentOp>();
  private readonly database: Promise<IDBDatabase | null> = open().catch(() => null);

  private async table<T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
    const database = await this.database;
    if (!database) return null;
    return new Promise((resolve) => {
      try {
        const asked = ask(database.transaction(TABLE, mode).objectStore(TABLE));
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => resolve(null);
      } catch {
        resolve(null);
      }
    });
  }

  async keep(op: UnsentOp): Promise<void> {
    this.memory.set(op.opId, op);
    await this.table('readwrite', (table) => table.put(op));
  }

  async drop(op: UnsentOp): Promise<void> {
    this.memory.delete(op.opId);
    await this.table('readwrite', (table) => table.delete(op.opId));
  }

  async of(root: string): Promise<UnsentOp[]> {
    const stored = await this.table<UnsentOp[]>('readonly', (table) => table.index('root').getAll(root) as IDBRequest<UnsentOp[]>);
    const found = stored ?? [...this.memory.values()].filter((op) => op.root === root);
    return found.sort((a, b) => a.made - b.made);
  }

  async close(): Promise<void> {
    (await this.database)?.close();
  }
}
