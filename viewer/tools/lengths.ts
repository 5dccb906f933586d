/**
 * Length marks on the image: Cornerstone draws and edits them, we tell what was drawn.
 *
 * A mark is known by our own id. Its label is the server's value once it is saved; until then the value measured here, with
 * a sign that it is not saved.
 */
import { eventTarget, metaData, type Types as CoreTypes } from '@cornerstonejs/core';
import { annotation, Enums, LengthTool, utilities, type Types } from '@cornerstonejs/tools';
import type { Point3 } from '../core/geometry';

export interface DrawnLength {
  markId: string;
  imageId: string;
  points: [Point3, Point3];
}

export interface LengthLook {
  text: string;
  isSaved: boolean;
  isBroken: boolean;
}

export interface LengthListener {
  /** Finished drawing or moving. */
  drawn(length: DrawnLength, isNew: boolean): void;
  chosen(markId: string | null): void;
}

const SAVED = { color: 'rgb(122, 226, 207)', textBoxColor: 'rgb(190, 245, 235)', lineDash: '' };
const UNSAVED = { color: 'rgb(255, 209, 102)', textBoxColor: 'rgb(255, 226, 160)', lineDash: '5,4' };
const BROKEN = { color: 'rgb(255, 138, 128)', textBoxColor: 'rgb(255, 180, 172)', lineDash: '2,4' };

interface Labelled {
  collegium?: LengthLook;
}

let isStyled = false;

export function styleLengths(): void {
  if (isStyled) return;
  isStyled = true;
  annotation.config.style.setDefaultToolStyles({
    ...annotation.config.style.getDefaultToolStyles(),
    global: {
      ...(annotation.config.style.getDefaultToolStyles() as { global?: object }).global,
      ...SAVED,
      colorHighlighted: 'rgb(255, 255, 255)',
      colorSelected: 'rgb(255, 255, 255)',
      textBoxColorHighlighted: 'rgb(255, 255, 255)',
      textBoxColorSelected: 'rgb(255, 255, 255)',
      lineWidth: '1.75',
      textBoxFontFamily: '"Inter Variable", system-ui, sans-serif',
      textBoxFontSize: '13px',
      textBoxBackground: 'rgba(4, 10, 11, 0.72)',
      textBoxLinkLineWidth: '1',
      textBoxLinkLineDash: '2,3',
      shadow: true,
    },
  } as never);
}

/** Text of a length: whatever the viewer last said about the mark, else the length drawn so far. */
export function lengthText(data: unknown): string[] {
  const { collegium, cachedStats } = data as Labelled & { cachedStats?: Record<string, { length?: number | null; unit?: string | null }> };
  if (collegium?.text) return [collegium.text];
  const stats = Object.values(cachedStats ?? {}).find((each) => typeof each.length === 'number');
  return stats ? [`${stats.length!.toFixed(1)} ${stats.unit ?? ''}`.trim()] : [''];
}

export class Lengths {
  private readonly dirty = new Set<string>();
  private readonly known = new Set<string>();

  constructor(
    private readonly viewport: CoreTypes.IStackViewport,
    private readonly listener: LengthListener,
    signal: AbortSignal,
  ) {
    styleLengths();
    const on = (type: string, handler: (detail: { annotation?: Types.Annotation; selection?: string[]; changeType?: string }) => void): void => {
      const listen = (event: Event): void => handler((event as CustomEvent).detail);
      eventTarget.addEventListener(type, listen as EventListener);
      signal.addEventListener('abort', () => eventTarget.removeEventListener(type, listen as EventListener));
    };
    on(Enums.Events.ANNOTATION_COMPLETED, ({ annotation: done }) => done && this.completed(done));
    on(Enums.Events.ANNOTATION_MODIFIED, ({ annotation: changed, changeType }) => {
      const id = changed?.annotationUID;
      if (!id || !this.known.has(id) || changeType === Enums.ChangeTypes.StatsUpdated) return;
      this.dirty.add(id);
      (changed.data as Labelled).collegium = { text: '', isSaved: false, isBroken: false };
    });
    on(Enums.Events.ANNOTATION_SELECTION_CHANGE, () => this.listener.chosen(this.chosen));
    // A move ends with the button; until then every step would be a save.
    this.viewport.element.addEventListener(Enums.Events.MOUSE_UP, () => this.flush(), { signal });
    this.viewport.element.addEventListener(Enums.Events.TOUCH_END, () => this.flush(), { signal });
  }

  get chosen(): string | null {
    return annotation.selection.getAnnotationsSelectedByToolName(LengthTool.toolName).find((id) => this.known.has(id)) ?? null;
  }

  /** Put a mark on the image, or move and relabel the one that is there. */
  put(length: DrawnLength, look: LengthLook, isLocked: boolean): void {
    const there = annotation.state.getAnnotation(length.markId);
    if (there) {
      there.data.handles!.points = length.points.map((point) => [...point] as CoreTypes.Point3);
      there.invalidated = true;
      (there.data as Labelled).collegium = look;
    } else {
      this.known.add(length.markId);
      const camera = this.viewport.getCamera();
      const plane = metaData.get('imagePlaneModule', length.imageId) as { frameOfReferenceUID?: string } | undefined;
      annotation.state.addAnnotation(
        {
          annotationUID: length.markId,
          highlighted: false,
          invalidated: true,
          isLocked: false,
          isVisible: true,
          autoGenerated: false,
          metadata: {
            toolName: LengthTool.toolName,
            FrameOfReferenceUID: plane?.frameOfReferenceUID ?? this.viewport.getFrameOfReferenceUID(),
            referencedImageId: length.imageId,
            viewPlaneNormal: camera.viewPlaneNormal,
            viewUp: camera.viewUp,
          },
          data: {
            label: '',
            cachedStats: {},
            collegium: look,
            handles: {
              points: length.points.map((point) => [...point] as CoreTypes.Point3),
              activeHandleIndex: null,
              textBox: {
                hasMoved: false,
                worldPosition: [0, 0, 0],
                worldBoundingBox: { topLeft: [0, 0, 0], topRight: [0, 0, 0], bottomLeft: [0, 0, 0], bottomRight: [0, 0, 0] },
              },
            },
          },
        } as unknown as Types.Annotation,
        this.viewport.element,
      );
    }
    annotation.locking.setAnnotationLocked(length.markId, isLocked);
    annotation.config.style.setAnnotationStyles(length.markId, (look.isBroken ? BROKEN : look.isSaved ? SAVED : UNSAVED) as never);
    this.render();
  }

  has(markId: string): boolean {
    return this.known.has(markId);
  }

  remove(markId: string): void {
    this.known.delete(markId);
    this.dirty.delete(markId);
    if (annotation.state.getAnnotation(markId)) annotation.state.removeAnnotation(markId);
    this.render();
  }

  choose(markId: string): void {
    annotation.selection.setAnnotationSelected(markId, true, false);
    this.render();
  }

  removeAll(): void {
    for (const markId of [...this.known]) this.remove(markId);
  }

  private completed(done: Types.Annotation): void {
    const id = done.annotationUID!;
    if (done.metadata?.toolName !== LengthTool.toolName || !this.viewport.hasImageId(done.metadata.referencedImageId ?? '')) return;
    if (!annotation.state.getAnnotation(id) || this.known.has(id)) return;
    const length = this.drawnOf(done);
    const [a, b] = length.points.map((point) => this.viewport.worldToCanvas(point));
    if (Math.hypot(a![0] - b![0], a![1] - b![1]) < 3) {
      // A click without a drag measures nothing.
      annotation.state.removeAnnotation(id);
      this.render();
      return;
    }
    this.known.add(id);
    this.dirty.delete(id);
    this.listener.drawn(length, true);
  }

  private flush(): void {
    for (const markId of this.dirty) {
      const there = annotation.state.getAnnotation(markId);
      if (there) this.listener.drawn(this.drawnOf(there), false);
    }
    this.dirty.clear();
  }

  private drawnOf(there: Types.Annotation): DrawnLength {
    const [a, b] = there.data.handles!.points!;
    return { markId: there.annotationUID!, imageId: there.metadata!.referencedImageId!, points: [[...a!] as Point3, [...b!] as Point3] };
  }

  private render(): void {
    utilities.triggerAnnotationRenderForViewportIds([this.viewport.id]);
  }
}
