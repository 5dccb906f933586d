/** The bar above the image: tools, windows, view, progress, help. Every button has a name, a key and a state. */
import { isMeasuring, type AreaState, type ToolName, type ViewerState } from '../core/store';
import type { Preset } from '../core/windows';
import { make } from './dom';
import { icon, type IconName } from './icons';

export interface ToolbarActions {
  tool(tool: ToolName): void;
  preset(preset: Preset): void;
  invert(): void;
  fit(): void;
  reset(): void;
  link(): void;
  alone(): void;
  side(): void;
  help(): void;
}

const TOOLS: { tool: ToolName; name: string; key: string; icon: IconName }[] = [
  { tool: 'window', name: 'Window', key: 'W', icon: 'brightness' },
  { tool: 'scroll', name: 'Scroll', key: 'S', icon: 'scroll' },
  { tool: 'zoom', name: 'Zoom', key: 'Z', icon: 'zoom' },
  { tool: 'pan', name: 'Pan', key: 'P', icon: 'arrowsMove' },
  { tool: 'length', name: 'Length', key: 'L', icon: 'ruler' },
  { tool: 'bidirectional', name: 'Two diameters', key: 'B', icon: 'diameters' },
];

export class Toolbar {
  readonly element = make('div', { class: 'bar', role: 'toolbar', 'aria-label': 'Image tools' });
  private readonly tools = new Map<ToolName, HTMLButtonElement>();
  private readonly invert: HTMLButtonElement;
  private readonly side: HTMLButtonElement;
  private readonly link: HTMLButtonElement;
  private readonly alone: HTMLButtonElement;
  private readonly two: HTMLElement;
  private readonly presets = make('div', { class: 'presets', role: 'group', 'aria-label': 'Window presets' });
  private readonly choice = make('select', { class: 'preset-choice', 'aria-label': 'Window preset' });
  private readonly progress = make('span', { class: 'progress', role: 'status' });
  private shown: readonly Preset[] = [];

  constructor(
    private readonly actions: ToolbarActions,
    canMeasure: boolean,
  ) {
    this.side = this.button('Series list', 'V', 'sidebar', () => actions.side());
    this.side.setAttribute('aria-pressed', 'true');
    const tools = make('div', { class: 'group', role: 'group', 'aria-label': 'Left mouse button' });
    for (const each of TOOLS) {
      if (isMeasuring(each.tool) && !canMeasure) continue;
      const button = this.button(each.name, each.key, each.icon, () => actions.tool(each.tool));
      this.tools.set(each.tool, button);
      tools.append(button);
    }
    this.invert = this.button('Invert', 'I', 'contrast', () => actions.invert());
    const view = make(
      'div',
      { class: 'group', role: 'group', 'aria-label': 'View' },
      this.invert,
      this.button('Fit to window', 'F', 'maximize', () => actions.fit()),
      this.button('Reset image', 'R', 'refresh', () => actions.reset()),
    );
    this.link = this.button('Scroll together', 'K', 'link', () => actions.link());
    this.alone = this.button('One timepoint alone', 'D', 'single', () => actions.alone());
    this.two = make('div', { class: 'group', role: 'group', 'aria-label': 'Timepoints', hidden: true }, this.link, this.alone);
    this.choice.addEventListener('change', () => {
      const preset = this.shown[this.choice.selectedIndex - 1];
      if (preset) actions.preset(preset);
    });
    this.element.append(
      make('div', { class: 'group' }, this.side),
      tools,
      this.presets,
      this.choice,
      view,
      this.two,
      this.progress,
      make('div', { class: 'group' }, this.button('Keys', '?', 'help', () => actions.help())),
    );
    this.element.addEventListener('keydown', (event) => this.move(event));
  }

  show(state: ViewerState & AreaState, presets: readonly Preset[], isSideOpen: boolean, areas: number): void {
    for (const [tool, button] of this.tools) button.setAttribute('aria-pressed', String(tool === state.tool));
    this.invert.setAttribute('aria-pressed', String(state.inverted));
    this.side.setAttribute('aria-pressed', String(isSideOpen));
    this.two.hidden = areas < 2;
    this.link.setAttribute('aria-pressed', String(state.isLinked));
    this.alone.setAttribute('aria-pressed', String(state.isAlone));
    if (presets !== this.shown) this.fill(presets);
    for (const button of this.presets.children) button.setAttribute('aria-pressed', String((button as HTMLElement).dataset['key'] === state.preset));
    this.choice.selectedIndex = 1 + presets.findIndex((preset) => preset.key === state.preset);
    const isComplete = state.total > 0 && state.loaded >= state.total;
    this.progress.textContent = state.total === 0 ? '' : isComplete ? `${state.total} loaded` : `${state.loaded} of ${state.total}`;
    this.progress.classList.toggle('is-complete', isComplete);
    this.progress.style.setProperty('--share', state.total ? String(state.loaded / state.total) : '0');
  }

  private fill(presets: readonly Preset[]): void {
    this.shown = presets;
    this.presets.replaceChildren(
      ...presets.map((preset) => {
        const button = make('button', { type: 'button', title: `${preset.name} (${preset.key})`, 'data-key': preset.key, 'aria-keyshortcuts': preset.key }, preset.name);
        button.addEventListener('click', () => this.actions.preset(preset));
        return button;
      }),
    );
    this.choice.replaceChildren(make('option', { hidden: true }, 'Window'), ...presets.map((preset) => make('option', {}, `${preset.key}  ${preset.name}`)));
  }

  private button(name: string, key: string, drawing: IconName, act: () => void): HTMLButtonElement {
    const button = make('button', { type: 'button', class: 'tool', title: `${name} (${key})`, 'aria-label': name, 'aria-keyshortcuts': key });
    button.append(icon(drawing));
    button.addEventListener('click', act);
    return button;
  }

  /** Arrows move inside a toolbar (ARIA authoring practices); they must not scroll the images meanwhile. */
  private move(event: KeyboardEvent): void {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    if (event.target instanceof HTMLSelectElement) return;
    const buttons = [...this.element.querySelectorAll('button')].filter((button) => button.offsetParent !== null);
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    buttons[(at + (event.key === 'ArrowRight' ? 1 : -1) + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
