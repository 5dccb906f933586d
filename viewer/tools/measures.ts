/**
 * Measurements on the images: Cornerstone draws and edits them, we tell what was drawn.
 *
 * A mark is known by our own id. Its label is the server's value once it is saved; until then the value measured here, with
 * a sign that it is not saved. Of two diameters Cornerstone draws the long one and guesses the other: a guess is no
 * measurement, so nothing is told until the reader has set the short one or taken the guess with Enter.
 */
import { eventTarget, metaData, type Types as CoreTypes } from '@cornerstonejs/core';
import { annotation, Enums, utilities, type Types } from '@cornerstonejs/tools';
import type { Point3 } from '../core/geometry';
import type { MeasureKind } from '../core/store';
import type { Half } from './diameters';
import { TOOLS } from './drawing';

export interface Drawn {
  markId: string;
  kind: MeasureKind;
  imageId: string;
  /** Two of a length; two of the long and two of the short diameter. */
  points: Point3[];
}

export interface Look {
  text: string;
  /** A number is the place of a layer: somebody else's mark. */
  as: 'saved' | 'unsaved' | 'broken' | number;
  /** Told when the pointer is on the mark: the timepoint it belongs to. */
  from?: string;
}

export interface MeasureListener {
  /** Finished drawing or moving. */
  drawn(drawn: Drawn, isNew: boolean): void;
  /** The long diameter is drawn; the short one is not set yet. */
  halfDrawn(): void;
  chosen(): void;
}

const KINDS = Object.entries(TOOLS) as [MeasureKind, string][];

/** The same locked or not: that a mark cannot be changed is no other colour. */
const style = (color: string, text: string, lineDash: string): object => ({
  color,
  colorLocked: color,
  textBoxColor: text,
  textBoxColorLocked: text,
  lineDash,
});
const SAVED = style('rgb(122, 226, 207)', 'rgb(190, 245, 235)', '');
const UNSAVED = style('rgb(255, 209, 102)', 'rgb(255, 226, 160)', '5,4');
const BROKEN = style('rgb(255, 138, 128)', 'rgb(255, 180, 172)', '2,4');
/** Okabe and Ito's colours, which every kind of colour vision tells apart; `panels/viewer.css` names the same. */
const LAYERS = [
  style('rgb(230, 159, 0)', 'rgb(255, 205, 110)', '9,4'),
  style('rgb(86, 180, 233)', 'rgb(160, 214, 246)', '3,3'),
  style('rgb(204, 121, 167)', 'rgb(236, 180, 211)', '9,3,2,3'),
  style('rgb(213, 94, 0)', 'rgb(255, 170, 110)', '5,5'),
];

const styleOf = ({ as }: Look): object => {
  if (typeof as === 'number') return LAYERS[as % LAYERS.length]!;
  return { saved: SAVED, unsaved: UNSAVED, broken: BROKEN }[as];
};

interface Labelled extends Half {
  collegium?: Look;
  isPointedAt?: boolean;
}

const NEAR_PX = 6;

let isStyled = false;

function styleMeasures(): void {
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

/** Text of a mark: whatever the viewer last said about it, else what is drawn so far. */
export function measureText(data: unknown): string[] {
  const { collegium, cachedStats, isHalf, isShortSet, isPointedAt } = data as Labelled & { cachedStats?: Record<string, { length?: number | null; width?: number | null; unit?: string | null }> };
  if (collegium?.text) return [collegium.text, ...(isPointedAt && collegium.from ? [collegium.from] : [])];
  const stats = Object.values(cachedStats ?? {}).find((each) => typeof each.length === 'number');
  if (!stats) return [''];
  const short = typeof stats.width === 'number' ? ` × ${stats.width.toFixed(1)}` : '';
  return [`${stats.length!.toFixed(1)}${short} ${stats.unit ?? ''}`.trim(), ...(isHalf && !isShortSet ? ['short diameter proposed'] : [])];
}

const distance = (a: Point3, b: Point3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** The long diameter first, as the server keeps them. */
function inOrder(points: Point3[]): Point3[] {
  const [a, b, c, d] = points;
  return c && d && distance(c, d) > distance(a!, b!) ? [c, d, a!, b!] : points;
}

export class Measures {
  private readonly viewports: CoreTypes.IStackViewport[] = [];
  private readonly dirty = new Set<string>();
  private readonly own = new Set<string>();
  private readonly layered = new Set<string>();
  /** Two diameters of which only the long one is drawn, with the points that Cornerstone guessed. */
  private half: { markId: string; short: Point3[] } | null = null;

  constructor(
    private readonly listener: MeasureListener,
    private readonly signal: AbortSignal,
  ) {
    styleMeasures();
    const on = (type: string, handler: (detail: { annotation?: Types.Annotation; changeType?: string }) => void): void => {
      const listen = (event: Event): void => handler((event as CustomEvent).detail);
      eventTarget.addEventListener(type, listen as EventListener);
      signal.addEventListener('abort', () => eventTarget.removeEventListener(type, listen as EventListener));
    };
    on(Enums.Events.ANNOTATION_COMPLETED, ({ annotation: done }) => done && this.completed(done));
    on(Enums.Events.ANNOTATION_MODIFIED, ({ annotation: changed, changeType }) => {
      const id = changed?.annotationUID;
      if (!id || changeType === Enums.ChangeTypes.StatsUpdated) return;
      if (this.own.has(id)) {
        this.dirty.add(id);
        (changed.data as Labelled).collegium = { text: '', as: 'unsaved' };
      } else if (this.half?.markId === id) {
        this.dirty.add(id);
        this.watchShort(changed);
      }
    });
    on(Enums.Events.ANNOTATION_SELECTION_CHANGE, () => this.listener.chosen());
  }

  /** Watch one more image area. */
  attach(viewport: CoreTypes.IStackViewport): void {
    this.viewports.push(viewport);
    // A move ends with the button; until then every step would be a save.
    const { MOUSE_UP, MOUSE_CLICK, TOUCH_END, MOUSE_MOVE } = Enums.Events;
    // A quick drag ends as a click.
    for (const type of [MOUSE_UP, MOUSE_CLICK, TOUCH_END]) viewport.element.addEventListener(type, () => this.flush(), { signal: this.signal });
    viewport.element.addEventListener(
      MOUSE_MOVE,
      (event) => this.point(viewport, (event as unknown as CustomEvent<{ currentPoints: { canvas: CoreTypes.Point2 } }>).detail.currentPoints.canvas),
      { signal: this.signal },
    );
  }

  /** The mark that the reader chose: one of the own, or of a layer. */
  get chosen(): string | null {
    return annotation.selection.getAnnotationsSelected().find((id) => this.own.has(id) || this.layered.has(id)) ?? null;
  }

  /** Put a mark on its image, or move and relabel the one that is there; one that no area can show is taken away. */
  put(drawn: Drawn, look: Look): void {
    const viewport = this.viewportOf(drawn.imageId);
    if (!viewport) {
      this.remove(drawn.markId);
      return;
    }
    const there = annotation.state.getAnnotation(drawn.markId);
    if (there) {
      there.data.handles!.points = drawn.points.map((point) => [...point] as CoreTypes.Point3);
      there.invalidated = true;
      (there.data as Labelled).collegium = look;
    } else {
      (typeof look.as === 'number' ? this.layered : this.own).add(drawn.markId);
      const camera = viewport.getCamera();
      const plane = metaData.get('imagePlaneModule', drawn.imageId) as { frameOfReferenceUID?: string } | undefined;
      annotation.state.addAnnotation(
        {
          annotationUID: drawn.markId,
          highlighted: false,
          invalidated: true,
          isLocked: false,
          isVisible: true,
          autoGenerated: false,
          metadata: {
            toolName: TOOLS[drawn.kind],
            FrameOfReferenceUID: plane?.frameOfReferenceUID ?? viewport.getFrameOfReferenceUID(),
            referencedImageId: drawn.imageId,
            viewPlaneNormal: camera.viewPlaneNormal,
            viewUp: camera.viewUp,
          },
          data: {
            label: '',
            cachedStats: {},
            collegium: look,
            handles: {
              points: drawn.points.map((point) => [...point] as CoreTypes.Point3),
              activeHandleIndex: null,
              textBox: {
                hasMoved: false,
                worldPosition: [0, 0, 0],
                worldBoundingBox: { topLeft: [0, 0, 0], topRight: [0, 0, 0], bottomLeft: [0, 0, 0], bottomRight: [0, 0, 0] },
              },
            },
          },
        } as unknown as Types.Annotation,
        viewport.element,
      );
    }
    annotation.config.style.setAnnotationStyles(drawn.markId, styleOf(look) as never);
    this.render();
  }

  lock(markId: string): void {
    annotation.locking.setAnnotationLocked(markId, true);
  }

  remove(markId: string): void {
    this.own.delete(markId);
    this.layered.delete(markId);
    this.dirty.delete(markId);
    if (annotation.state.getAnnotation(markId)) annotation.state.removeAnnotation(markId);
    this.render();
  }

  choose(markId: string): void {
    annotation.selection.setAnnotationSelected(markId, true, false);
    this.render();
  }

  removeAll(): void {
    this.dropHalf();
    for (const markId of [...this.own, ...this.layered]) this.remove(markId);
  }

  get isHalfDrawn(): boolean {
    return this.half !== null;
  }

  /** Forget two diameters that were begun and not finished; true when there were any. */
  dropHalf(): boolean {
    const { half } = this;
    this.half = null;
    if (!half) return false;
    this.remove(half.markId);
    return true;
  }

  /** Take the short diameter as it is proposed: the reader looked at it and agrees. */
  acceptHalf(): boolean {
    const there = this.half && annotation.state.getAnnotation(this.half.markId);
    this.half = null;
    if (!there) return false;
    this.finish(this.drawnOf(there, 'bidirectional'));
    return true;
  }

  private completed(done: Types.Annotation): void {
    const id = done.annotationUID!;
    const kind = KINDS.find(([, tool]) => tool === done.metadata?.toolName)?.[0];
    const viewport = this.viewportOf(done.metadata?.referencedImageId ?? '');
    if (!kind || !viewport || !annotation.state.getAnnotation(id) || this.own.has(id) || this.layered.has(id)) return;
    const drawn = this.drawnOf(done, kind);
    const [a, b] = drawn.points.map((point) => viewport.worldToCanvas(point));
    if (Math.hypot(a![0] - b![0], a![1] - b![1]) < 3) {
      // A click without a drag measures nothing.
      annotation.state.removeAnnotation(id);
      this.render();
      return;
    }
    this.dirty.delete(id);
    if (kind === 'bidirectional') this.begin(done);
    else this.finish(drawn);
  }

  private begin(done: Types.Annotation): void {
    this.dropHalf();
    const id = done.annotationUID!;
    this.half = { markId: id, short: this.drawnOf(done, 'bidirectional').points.slice(2) };
    Object.assign(done.data, { collegium: { text: '', as: 'unsaved' }, isHalf: true, isShortSet: false } satisfies Labelled);
    annotation.config.style.setAnnotationStyles(id, UNSAVED as never);
    this.render();
    this.listener.halfDrawn();
  }

  private finish(drawn: Drawn): void {
    const there = annotation.state.getAnnotation(drawn.markId);
    if (there) (there.data as Labelled).isHalf = false;
    this.own.add(drawn.markId);
    this.listener.drawn(drawn, true);
  }

  private flush(): void {
    for (const markId of this.dirty) {
      const there = annotation.state.getAnnotation(markId);
      const kind = KINDS.find(([, tool]) => tool === there?.metadata?.toolName)?.[0];
      if (!there || !kind) continue;
      const drawn = this.drawnOf(there, kind);
      if (this.half?.markId !== markId) this.listener.drawn({ ...drawn, points: inOrder(drawn.points) }, false);
      else if ((there.data as Labelled).isShortSet) {
        this.half = null;
        this.finish({ ...drawn, points: inOrder(drawn.points) });
      }
    }
    this.dirty.clear();
  }

  /** Turned or moved with the long diameter the proposed short one keeps its length: it is not set by that. */
  private watchShort(changed: Types.Annotation): void {
    const [, , c, d] = this.drawnOf(changed, 'bidirectional').points;
    const [from, to] = this.half!.short;
    const data = changed.data as Labelled;
    data.isShortSet ||= Math.abs(distance(c!, d!) - distance(from!, to!)) > 1e-3;
  }

  /** The mark of a layer under the pointer says where it comes from. */
  private point(viewport: CoreTypes.IStackViewport, at: CoreTypes.Point2): void {
    const shown = viewport.getCurrentImageId();
    let isChanged = false;
    for (const markId of this.layered) {
      const there = annotation.state.getAnnotation(markId);
      if (there?.metadata?.referencedImageId !== shown) continue;
      const data = there.data as Labelled;
      const ends = there.data.handles!.points!.map((point) => viewport.worldToCanvas(point));
      const isOn = [0, 2].some((end) => ends[end + 1] && utilities.math.lineSegment.distanceToPoint(ends[end]!, ends[end + 1]!, at) < NEAR_PX);
      isChanged ||= isOn !== Boolean(data.isPointedAt);
      data.isPointedAt = isOn;
    }
    if (isChanged) this.render();
  }

  private drawnOf(there: Types.Annotation, kind: MeasureKind): Drawn {
    const points = there.data.handles!.points!.map((point) => [...point] as Point3);
    return { markId: there.annotationUID!, kind, imageId: there.metadata!.referencedImageId!, points };
  }

  private viewportOf(imageId: string): CoreTypes.IStackViewport | undefined {
    return this.viewports.find((viewport) => viewport.hasImageId(imageId));
  }

  private render(): void {
    utilities.triggerAnnotationRenderForViewportIds(this.viewports.map((viewport) => viewport.id));
  }
}
