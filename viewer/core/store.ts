/** The viewer's state. It changes only by a command with a name; panels listen. */
import type { Point2 } from './geometry';
import type { Window } from './windows';

export type ToolName = 'window' | 'scroll' | 'zoom' | 'pan' | 'length';

export interface ViewerState {
  seriesUid: string;
  /** The image on the screen, and the one asked for (they differ while it loads). */
  index: number;
  target: number;
  count: number;
  window: Window | null;
  preset: string | null;
  inverted: boolean;
  zoom: number;
  pan: Point2;
  loaded: number;
  total: number;
  tool: ToolName;
  /** The form item that waits for the next length. */
  armedFor: string | null;
}

export const EMPTY: ViewerState = {
  seriesUid: '',
  index: 0,
  target: 0,
  count: 0,
  window: null,
  preset: null,
  inverted: false,
  zoom: 1,
  pan: [0, 0],
  loaded: 0,
  total: 0,
  tool: 'window',
  armedFor: null,
};

export type Listener = (state: ViewerState, command: string) => void;

export class Store {
  private now: ViewerState = EMPTY;
  private readonly listeners = new Set<Listener>();

  get state(): ViewerState {
    return this.now;
  }

  /** `store.run('slice.shown', { index: 12 })` */
  run(command: string, change: Partial<ViewerState>): void {
    this.now = { ...this.now, ...change };
    for (const listener of this.listeners) listener(this.now, command);
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
