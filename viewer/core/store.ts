/** State that changes only by a command with a name; panels listen. */
import type { Point2 } from './geometry';
import type { Window } from './windows';

export type MeasureKind = 'length' | 'bidirectional';
export type ToolName = 'window' | 'scroll' | 'zoom' | 'pan' | MeasureKind;

export const isMeasuring = (tool: ToolName): tool is MeasureKind => tool === 'length' || tool === 'bidirectional';

/** What one image area shows. */
export interface AreaState {
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
}

export const EMPTY_AREA: AreaState = {
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
};

/** What all areas share. */
export interface ViewerState {
  tool: ToolName;
  /** The form item that waits for the next mark. */
  armedFor: string | null;
  /** The area that keys and tools act on, from the left. */
  active: number;
  isLinked: boolean;
  /** Only the active area is shown, large. */
  isAlone: boolean;
}

export const EMPTY_VIEWER: ViewerState = { tool: 'window', armedFor: null, active: 0, isLinked: false, isAlone: false };

export class Store<State extends object> {
  private readonly listeners = new Set<(state: State, command: string) => void>();

  constructor(private now: State) {}

  get state(): State {
    return this.now;
  }

  /** `store.run('slice.shown', { index: 12 })` */
  run(command: string, change: Partial<State>): void {
    this.now = { ...this.now, ...change };
    for (const listener of this.listeners) listener(this.now, command);
  }

  listen(listener: (state: State, command: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
