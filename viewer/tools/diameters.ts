/**
 * Two diameters in two drags, as readers of tumours draw them: the first drag is the long one, a second drag across it the
 * short one. Cornerstone knows the first drag only and guesses the rest; its guess stays a proposal with grips.
 */
import { eventTarget, getEnabledElement, triggerEvent, type Types as CoreTypes } from '@cornerstonejs/core';
import { annotation as annotations, BidirectionalTool, Enums, ToolGroupManager, utilities, type Types } from '@cornerstonejs/tools';
import { gripped, shortAcross, type Point3 } from '../core/geometry';

/** How near to the long diameter a drag may begin or end and still cross it. */
const NEAR_PX = 6;

/** What a measurement of which only the long diameter is drawn says about itself. */
export interface Half {
  isHalf?: boolean;
  isShortSet?: boolean;
}

interface Pointed {
  element: HTMLDivElement;
  currentPoints: { world: CoreTypes.Point3; canvas: CoreTypes.Point2 };
}

export class TwoDragsTool extends BidirectionalTool {
  constructor(...given: ConstructorParameters<typeof BidirectionalTool>) {
    super(...given);
    const isNear = this.isPointNearTool;
    // Across its lines runs the second drag, so they are no handle to move the whole by.
    this.isPointNearTool = (element, there, at, proximity) => !this.isAwaited(there) && isNear(element, there, at, proximity);
  }

  override getHandleNearImagePoint(element: HTMLDivElement, there: Types.Annotation, at: CoreTypes.Point2, proximity: number): Types.ToolHandle | undefined {
    const found = super.getHandleNearImagePoint(element, there, at, proximity);
    const isLongEnd = there.data.handles!.points!.slice(0, 2).some((end) => end === found);
    return this.isAwaited(there) && !isLongEnd ? undefined : found;
  }

  override addNewAnnotation(event: Types.EventTypes.InteractionEventType): ReturnType<BidirectionalTool['addNewAnnotation']> {
    const { element, currentPoints } = event.detail as unknown as Pointed;
    const half = this.halfOn(element);
    if (!half) return super.addNewAnnotation(event);
    this.drawShort(element, half, currentPoints);
    event.preventDefault();
    return half as ReturnType<BidirectionalTool['addNewAnnotation']>;
  }

  /** The second drag can be drawn: with another tool in the hand Cornerstone's own handles are all there is. */
  private isAwaited({ data }: Types.Annotation): boolean {
    const inHand = ToolGroupManager.getToolGroup(this.toolGroupId)?.getActivePrimaryMouseButtonTool();
    return Boolean((data as Half).isHalf) && inHand === this.getToolName();
  }

  private halfOn(element: HTMLDivElement): Types.Annotation | undefined {
    const shown = (getEnabledElement(element)!.viewport as CoreTypes.IStackViewport).getCurrentImageId();
    const all = annotations.state.getAnnotations(this.getToolName(), element) ?? [];
    return all.find((each) => (each.data as Half).isHalf && each.metadata?.referencedImageId === shown);
  }

  private drawShort(element: HTMLDivElement, half: Types.Annotation, { world: start, canvas }: Pointed['currentPoints']): void {
    const { viewport } = getEnabledElement(element)!;
    const ends = half.data.handles!.points as [Point3, Point3, Point3, Point3];
    const long: [Point3, Point3] = [ends[0], ends[1]];
    const grip = [2, 3].find((end) => {
      const [x, y] = viewport.worldToCanvas(ends[end]!);
      return Math.hypot(x - canvas[0], y - canvas[1]) < NEAR_PX;
    });
    const kept = grip === undefined ? null : ends[grip === 2 ? 3 : 2];
    const aside = viewport.canvasToWorld([canvas[0] + NEAR_PX, canvas[1]]);
    const slack = Math.hypot(...start.map((part, axis) => part - aside[axis]!));
    const done = new AbortController();
    const drag = (event: Event): void => {
      const { world } = (event as CustomEvent<Pointed>).detail.currentPoints;
      const short = (kept && gripped(long, kept, world as Point3)) ?? shortAcross(long, [start as Point3, world as Point3], slack);
      if (!short) return;
      half.data.handles!.points = [...long, ...short] as CoreTypes.Point3[];
      half.invalidated = true;
      (half.data as Half).isShortSet = true;
      triggerEvent(eventTarget, Enums.Events.ANNOTATION_MODIFIED, { annotation: half, changeType: Enums.ChangeTypes.HandlesUpdated });
      utilities.triggerAnnotationRenderForViewportIds([viewport.id]);
    };
    const { MOUSE_DRAG, MOUSE_UP, MOUSE_CLICK, TOUCH_DRAG, TOUCH_END, TOUCH_TAP } = Enums.Events;
    for (const type of [MOUSE_DRAG, TOUCH_DRAG]) element.addEventListener(type, drag, { signal: done.signal });
    for (const type of [MOUSE_UP, MOUSE_CLICK, TOUCH_END, TOUCH_TAP]) element.addEventListener(type, () => done.abort(), { signal: done.signal });
  }
}
