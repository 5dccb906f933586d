/** Cornerstone's length and diameters, with our way of placing their words. */
import type { Types as CoreTypes } from '@cornerstonejs/core';
import { annotation as annotations, LengthTool } from '@cornerstonejs/tools';
import type { Point2 } from '../core/geometry';
import type { MeasureKind } from '../core/store';
import { placeText, type Box } from '../core/text-place';
import { TwoDragsTool } from './diameters';

type Linked = Parameters<LengthTool['renderLinkedTextBoxAnnotation']>[0];

/** What stands on the image in this pass of drawing, marks and words; each pass has a drawing helper of its own. */
const passes = new WeakMap<object, Box[]>();
const LINE_PX = 21;
/** Cornerstone draws words this far right of and below the place it is given. */
const PADDING_PX = 25;
let pen: CanvasRenderingContext2D | null = null;

function widthOf(text: string): number {
  pen ??= new OffscreenCanvas(1, 1).getContext('2d') as unknown as CanvasRenderingContext2D;
  pen.font = '13px "Inter Variable", system-ui, sans-serif';
  return pen.measureText(text).width + 10;
}

const around = (points: readonly Point2[]): Box => {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
};

/** The places of all marks on the image that an area shows. */
function marksOn({ viewport }: Linked['enabledElement']): Box[] {
  const imageId = (viewport as CoreTypes.IStackViewport).getCurrentImageId();
  return Object.values(TOOLS)
    .flatMap((tool) => annotations.state.getAnnotations(tool, viewport.element) ?? [])
    .filter((each) => each.metadata?.referencedImageId === imageId)
    .map((each) => around((each.data.handles?.points ?? []).map((point) => viewport.worldToCanvas(point) as Point2)));
}

/** Give the words a place, unless the reader moved them; then draw as Cornerstone does. */
function withPlace({ annotation, enabledElement, canvasCoordinates, svgDrawingHelper, textLines }: Linked, draw: () => boolean): boolean {
  const box = annotation.data.handles?.textBox;
  if (!box || box.hasMoved) return draw();
  const { viewport } = enabledElement;
  const { clientWidth: width, clientHeight: height } = viewport.element;
  const taken = passes.get(svgDrawingHelper) ?? marksOn(enabledElement);
  const size = { width: Math.max(...textLines.map(widthOf)), height: LINE_PX * textLines.length };
  const place = placeText(canvasCoordinates as Point2[], size, { width, height }, taken);
  passes.set(svgDrawingHelper, [...taken, place]);
  box.worldPosition = viewport.canvasToWorld([place.x - PADDING_PX, place.y - PADDING_PX]) as CoreTypes.Point3;
  box.hasMoved = true;
  const isDrawn = draw();
  box.hasMoved = false;
  return isDrawn;
}

export class OwnLengthTool extends LengthTool {
  static override toolName = 'CollegiumLength';

  override renderLinkedTextBoxAnnotation(options: Linked): boolean {
    return withPlace(options, () => super.renderLinkedTextBoxAnnotation(options));
  }
}

export class OwnBidirectionalTool extends TwoDragsTool {
  static override toolName = 'CollegiumBidirectional';

  override renderLinkedTextBoxAnnotation(options: Linked): boolean {
    return withPlace(options, () => super.renderLinkedTextBoxAnnotation(options));
  }
}

export const MEASURE_TOOLS = { length: OwnLengthTool, bidirectional: OwnBidirectionalTool };
export const TOOLS: Record<MeasureKind, string> = { length: OwnLengthTool.toolName, bidirectional: OwnBidirectionalTool.toolName };
