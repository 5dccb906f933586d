/** The pieces that the element hands to its session. */
import type { DicomWeb } from '../api/dicomweb';
import type { SeriesInfo } from '../core/images';
import type { MeasureKind, ToolName } from '../core/store';

export type Mode = 'read' | 'view';

export interface SessionOptions {
  dicomweb: DicomWeb;
  /** Asked for before the heavy part of the viewer was loaded. */
  series: Promise<SeriesInfo[]>;
  marks: string | null;
  label: string;
  mode: Mode;
  /** Marks may be drawn on earlier timepoints too. */
  drawsEverywhere: boolean;
  /** The first image is that of the first mark, not the middle one: for reads that are compared or closed. */
  beginsAtMark: boolean;
  startedAt: number;
  emit(type: string, detail: object): void;
}

export interface SessionFace {
  begin(): void;
  activate(tool: ToolName): void;
  measure(itemId: string, label: string, kind: MeasureKind): void;
  show(markId: string): Promise<void>;
  command(event: KeyboardEvent): boolean;
  setLabel(label: string): void;
  close(): void;
}
