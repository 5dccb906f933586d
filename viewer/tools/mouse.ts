/** What the mouse and fingers do: the left button is the chosen tool, the others are always the same. */
import type { Types as CoreTypes } from '@cornerstonejs/core';
import { addTool, BaseTool, Enums, PanTool, ToolGroupManager, WindowLevelTool, ZoomTool, type Types } from '@cornerstonejs/tools';
import { isMeasuring, type ToolName } from '../core/store';
import { MEASURE_TOOLS, TOOLS } from './drawing';
import { measureText } from './measures';

const { MouseBindings, KeyboardBindings } = Enums;

interface Drag {
  detail: { element: HTMLDivElement; deltaPoints: { canvas: CoreTypes.Point2 } };
}

/** Dragging up and down goes through the images; the element itself knows how. */
class DragScrollTool extends BaseTool {
  static override toolName = 'CollegiumScroll';
  private rest = 0;

  constructor(props = {}, defaults = { supportedInteractionTypes: ['Mouse', 'Touch'], configuration: {} }) {
    super(props, defaults as Types.ToolProps);
  }

  mouseDragCallback(event: Drag): void {
    this.rest += event.detail.deltaPoints.canvas[1];
    const { element } = event.detail;
    const count = Number(element.dataset['count'] ?? 1);
    const pixels = Math.max(2, element.offsetHeight / Math.max(count, 8));
    const steps = Math.trunc(this.rest / pixels);
    if (steps === 0) return;
    this.rest -= steps * pixels;
    element.dispatchEvent(new CustomEvent<number>('collegium-scroll', { detail: steps }));
  }

  touchDragCallback(event: Drag): void {
    this.mouseDragCallback(event);
  }
}

const NAMES: Record<ToolName, string> = {
  window: WindowLevelTool.toolName,
  scroll: DragScrollTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  ...TOOLS,
};
const MEASURES = Object.values(TOOLS);

let areKnown = false;

export class Mouse {
  private readonly group: Types.IToolGroup;

  constructor(
    engineId: string,
    private readonly viewportId: string,
    private readonly canMeasure: boolean,
  ) {
    if (!areKnown) {
      areKnown = true;
      for (const tool of [WindowLevelTool, DragScrollTool, ZoomTool, PanTool, ...Object.values(MEASURE_TOOLS)]) addTool(tool);
    }
    this.group = ToolGroupManager.createToolGroup(viewportId)!;
    for (const name of [NAMES.window, NAMES.scroll, NAMES.pan]) this.group.addTool(name);
    this.group.addTool(NAMES.zoom, { zoomToCenter: false, pan: true });
    // Cornerstone's own undo keys would change a mark without a save.
    for (const name of MEASURES) this.group.addTool(name, { getTextLines: measureText, preventHandleOutsideImage: true, actions: {} });
    this.group.addViewport(viewportId, engineId);
  }

  /** `canDraw`: marks may be drawn on what the area shows now; if not, a measuring tool leaves the left button idle. */
  activate(tool: ToolName, canDraw: boolean): void {
    const { group } = this;
    for (const name of [NAMES.window, NAMES.scroll, NAMES.pan, NAMES.zoom]) group.setToolDisabled(name);
    for (const name of MEASURES) {
      if (this.canMeasure) group.setToolPassive(name);
      else group.setToolEnabled(name);
    }

    const bindings = new Map<string, Types.IToolBinding[]>();
    const bind = (name: string, binding: Types.IToolBinding): void => void bindings.set(name, [...(bindings.get(name) ?? []), binding]);
    if (canDraw || !isMeasuring(tool)) {
      bind(NAMES[tool], { mouseButton: MouseBindings.Primary });
      bind(NAMES[tool], { numTouchPoints: 1 });
    }
    bind(NAMES.pan, { mouseButton: MouseBindings.Auxiliary });
    bind(NAMES.pan, { mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Shift });
    bind(NAMES.zoom, { mouseButton: MouseBindings.Secondary });
    bind(NAMES.zoom, { numTouchPoints: 2 });
    for (const [name, list] of bindings) group.setToolActive(name, { bindings: list });
  }

  close(): void {
    ToolGroupManager.destroyToolGroup(this.viewportId);
  }
}
