/** One stack viewport of an engine, in our words: images by index, windows in center and width, orientation as letters. */
import { Enums, metaData, type Types } from '@cornerstonejs/core';
import { wadors } from '@cornerstonejs/dicom-image-loader';
import { cross, letters, opposite, type Plane, type Point2, type Point3 } from '../core/geometry';
import type { DataSet } from '../core/dicom-json';
import type { Engine } from './engine';
import { fromRange, toRange, type Window } from '../core/windows';

export interface ScreenPixels {
  rows: number;
  columns: number;
  /** Stored values, before any rescale; for colour the samples as shown, three a pixel. */
  values: number[];
}

export interface EdgeLetters {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

export type Loaded = Types.IImage;

/** Values of a loaded image as they are windowed, after the rescale. */
export const pixelsOf = (image: Loaded): ArrayLike<number> => (image.voxelManager?.getScalarData() ?? image.getPixelData()) as ArrayLike<number>;

/** The plane that the viewport assumes for an image without a place of its own. */
export function planeOf(imageId: string): Plane {
  const plane = metaData.get('imagePlaneModule', imageId) as Partial<Record<'imagePositionPatient' | 'rowCosines' | 'columnCosines', Point3>> & {
    rowPixelSpacing?: number;
    columnPixelSpacing?: number;
  };
  return {
    position: plane.imagePositionPatient ?? [0, 0, 0],
    alongRow: plane.rowCosines ?? [1, 0, 0],
    alongColumn: plane.columnCosines ?? [0, 1, 0],
    spacing: [plane.rowPixelSpacing ?? 1, plane.columnPixelSpacing ?? 1],
  };
}

export class Stack {
  private constructor(
    private readonly engine: Engine,
    readonly viewport: Types.IStackViewport,
    readonly port: HTMLDivElement,
  ) {}

  /** A viewport of an engine, drawn into `port`; `name` tells it from the others of the engine. */
  static open(engine: Engine, port: HTMLDivElement, name: string): Stack {
    const viewportId = `${engine.id}-${name}`;
    engine.enableElement({ viewportId, type: Enums.ViewportType.STACK, element: port, defaultOptions: { background: [0, 0, 0] } });
    return new Stack(engine, engine.getViewport(viewportId) as Types.IStackViewport, port);
  }

  /** Tell the image loader what it needs to decode and to place an image. */
  static describe(imageId: string, metadata: DataSet): void {
    wadors.metaDataManager.add(imageId, metadata as never);
  }

  listen(changed: (what: 'rendered' | 'window' | 'camera') => void, signal: AbortSignal): void {
    this.port.addEventListener(Enums.Events.IMAGE_RENDERED, () => changed('rendered'), { signal });
    this.port.addEventListener(Enums.Events.VOI_MODIFIED, () => changed('window'), { signal });
    this.port.addEventListener(Enums.Events.CAMERA_MODIFIED, () => changed('camera'), { signal });
  }

  async show(imageIds: string[], index: number, window: Window, inverted: boolean): Promise<void> {
    await this.viewport.setStack(imageIds, index);
    this.viewport.resetCamera();
    this.viewport.setProperties({ voiRange: toRange(window), invert: inverted });
    this.viewport.render();
  }

  goTo(index: number): Promise<string> {
    return this.viewport.setImageIdIndex(index);
  }

  get index(): number {
    return this.viewport.getCurrentImageIdIndex();
  }

  get imageId(): string {
    return this.viewport.getCurrentImageId();
  }

  get window(): Window | null {
    const range = this.viewport.getProperties().voiRange;
    return range ? fromRange(range) : null;
  }

  set window(window: Window) {
    this.viewport.setProperties({ voiRange: toRange(window) });
    this.viewport.render();
  }

  set inverted(inverted: boolean) {
    this.viewport.setProperties({ invert: inverted });
    this.viewport.render();
  }

  get zoom(): number {
    return this.viewport.getZoom();
  }

  zoomBy(factor: number): void {
    this.viewport.setZoom(Math.min(40, Math.max(0.1, this.zoom * factor)));
    this.viewport.render();
  }

  get pan(): Point2 {
    const [x, y] = this.viewport.getPan();
    return [x, y];
  }

  fit(): void {
    this.viewport.resetCamera();
    this.viewport.render();
  }

  resize(): void {
    this.engine.resize(true, true);
  }

  canvasOf(point: Point3): Point2 {
    const [x, y] = this.viewport.worldToCanvas(point);
    return [x, y];
  }

  /** Screen pixels (CSS) for one pixel of the image, along a row. */
  get scale(): number {
    const { position, alongRow, spacing } = planeOf(this.imageId);
    const next = position.map((part, axis) => part + alongRow[axis]! * spacing[1]) as Point3;
    const [a, b] = [this.canvasOf(position), this.canvasOf(next)];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  }

  get syntax(): string {
    return (this.viewport.getCornerstoneImage() as (Types.IImage & { transferSyntaxUID?: string }) | undefined)?.transferSyntaxUID ?? '';
  }

  /** Where the edges of the picture lie in the patient. */
  edges(): EdgeLetters | null {
    const { viewUp, viewPlaneNormal } = this.viewport.getCamera();
    if (!viewUp || !viewPlaneNormal) return null;
    const up = viewUp as Point3;
    const right = letters(cross(up, viewPlaneNormal as Point3));
    const top = letters(up);
    return { top, bottom: opposite(top), right, left: opposite(right) };
  }

  /** The stored values of the image on the screen, undone from the rescale that the loader applied. */
  pixels(): ScreenPixels | null {
    const image = this.viewport.getCornerstoneImage();
    if (!image) return null;
    const scaled = image.voxelManager?.getScalarData() ?? image.getPixelData();
    const scaling = image.preScale?.scaled ? image.preScale.scalingParameters : undefined;
    const slope = scaling?.rescaleSlope ?? 1;
    const intercept = scaling?.rescaleIntercept ?? 0;
    const values = Array.from(scaled as ArrayLike<number>, (value) => (scaling ? Math.round((value - intercept) / slope) : value));
    return { rows: image.rows, columns: image.columns, values };
  }
}
