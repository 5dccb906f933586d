/** One image area: a series, its images, window and place, with its own scroll. What areas share is the session's. */
import type { MarkGeometry } from '../api/marks';
import type { ImageInfo, SeriesInfo } from '../core/images';
import { ViewerProblem } from '../core/problems';
import { EMPTY_AREA, isMeasuring, Store, type AreaState, type ToolName } from '../core/store';
import { isLossy } from '../core/syntaxes';
import { isInverted, presetsFor, type Preset } from '../core/windows';
import type { Engine } from '../imaging/engine';
import { problemOf, SeriesLoader } from '../imaging/loading';
import { Stack, type Loaded } from '../imaging/stack';
import { AreaHead } from '../panels/area-head';
import { make } from '../panels/dom';
import { Hint } from '../panels/hint';
import { Message } from '../panels/message';
import { Overlay } from '../panels/overlay';
import { Slider } from '../panels/slider';
import { Mouse } from '../tools/mouse';
import type { Catalogue } from './catalogue';
import { firstLook, isDrawnInverted, opening, type Opened } from './opened';

export interface AreaHost {
  catalogue: Catalogue;
  signal: AbortSignal;
  canMeasure: boolean;
  label(): string;
  tool(): ToolName;
  /** Marks may be drawn on what the area shows. */
  canDraw(area: Area): boolean;
  /** Touched: keys and tools act here from now on. */
  chosen(area: Area): void;
  /** Another timepoint was chosen for it. */
  timepoint(area: Area, index: number): void;
  /** A series is on the screen. */
  opened(area: Area, opened: Opened, image: Loaded): void;
  /** The reader asked for an image of the series. */
  scrolled(area: Area): void;
  rendered(area: Area): void;
  progressed(area: Area): void;
  changed(): void;
  failed(problem: ViewerProblem): void;
  refusedDrawing(area: Area): void;
}

export class Area {
  readonly store = new Store<AreaState>(EMPTY_AREA);
  readonly element: HTMLElement;
  readonly message = new Message();
  readonly hint = new Hint();
  stack: Stack | null = null;
  private readonly port = make('div', { class: 'port' });
  /** Has the keyboard's focus: Cornerstone takes every key from an element of its own, even Tab. */
  private readonly desk: HTMLElement;
  private readonly head: AreaHead;
  private readonly overlay = new Overlay();
  private readonly slider = new Slider((index) => this.scroll(index));
  private readonly kept = new Map<string, Opened>();
  private mouse: Mouse | null = null;
  private now: Opened | null = null;
  /** The series that was asked for last: while it loads, and when it cannot be shown. */
  private wanted = '';
  private turn = 0;
  private wheelRest = 0;
  private isOpening = false;

  constructor(
    private readonly host: AreaHost,
    readonly name: string,
  ) {
    this.head = new AreaHead((index) => host.timepoint(this, index));
    this.desk = make('div', { class: 'desk', tabindex: '0', role: 'application', 'aria-roledescription': 'image viewer' }, this.port);
    const pane = make('div', { class: 'pane' }, this.desk, this.overlay.element, this.slider.element, this.hint.element, this.message.element);
    this.element = make('div', { class: 'area' }, this.head.element, pane);
    this.store.listen(() => host.changed());
  }

  /** Make the viewport; once. */
  attach(engine: Engine): void {
    if (this.stack) return;
    const { signal } = this.host;
    const stack = (this.stack = Stack.open(engine, this.port, this.name));
    this.mouse = new Mouse(engine.id, stack.viewport.id, this.host.canMeasure);
    this.useTool();
    stack.listen((what) => {
      if (what === 'rendered') this.host.rendered(this);
      else if (what === 'window') this.windowed(stack);
      else this.store.run('camera.moved', { zoom: stack.zoom, pan: stack.pan });
    }, signal);
    this.port.addEventListener('wheel', (event) => this.wheel(event), { signal, passive: false });
    this.port.addEventListener('collegium-scroll', (event) => this.scroll(this.store.state.target + (event as CustomEvent<number>).detail), { signal });
    this.port.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
    this.desk.addEventListener('focus', () => this.host.chosen(this), { signal });
    // Before the tool sees it: the tool acts on the area that was just chosen.
    this.port.addEventListener(
      'pointerdown',
      (event) => {
        this.focus();
        this.host.chosen(this);
        if (event.button === 0 && isMeasuring(this.host.tool()) && !this.host.canDraw(this)) this.host.refusedDrawing(this);
      },
      { signal, capture: true },
    );
    const resized = new ResizeObserver(() => {
      if (this.port.clientWidth > 0 && this.port.clientHeight > 0) stack.resize();
    });
    resized.observe(this.port);
    signal.addEventListener('abort', () => resized.disconnect());
  }

  get seriesUid(): string {
    return this.now?.info.seriesUid ?? '';
  }

  get images(): readonly ImageInfo[] {
    return this.now?.images ?? [];
  }

  get presets(): readonly Preset[] {
    return presetsFor(this.now?.info.modality ?? '');
  }

  get isBusy(): boolean {
    return this.now?.loader.isBusy ?? false;
  }

  /** `at`: begin at this mark's image. */
  async open(info: SeriesInfo, at?: MarkGeometry): Promise<void> {
    const { stack } = this;
    if (!stack || this.now?.info === info) return;
    const turn = ++this.turn;
    this.wanted = info.seriesUid;
    if (this.now) this.now.index = this.store.state.index;
    this.message.loading('Loading images');
    this.host.changed();
    this.isOpening = true;
    try {
      const opened = await this.prepare(info, at);
      if (turn !== this.turn) return;
      this.now?.loader.stop();
      opened.loader = new SeriesLoader(opened.imageIds, () => {
        if (this.now === opened) this.progressed();
      });
      this.now = opened;
      const image = await opened.loader.now(opened.index);
      if (turn !== this.turn) return;
      firstLook(opened, image);
      await stack.show(opened.imageIds, opened.index, opened.window!, isDrawnInverted(opened));
      if (turn !== this.turn) return;
      this.isOpening = false;
      this.message.clear();
      this.port.dataset['count'] = String(opened.images.length);
      const { index, window, preset, inverted } = opened;
      this.store.run('series.opened', {
        seriesUid: info.seriesUid,
        index,
        target: index,
        count: opened.images.length,
        window,
        preset,
        inverted,
        zoom: stack.zoom,
        pan: stack.pan,
      });
      this.useTool();
      this.host.opened(this, opened, image);
      this.progressed();
      opened.loader.around(index);
    } catch (error) {
      if (turn !== this.turn) return;
      this.now = null;
      this.fail(error, () => void this.open(info));
    }
  }

  private async prepare(info: SeriesInfo, at: MarkGeometry | undefined): Promise<Opened> {
    const described = await this.host.catalogue.describe(info);
    const known = this.kept.get(info.seriesUid) ?? opening(described, at);
    this.kept.set(info.seriesUid, known);
    return known;
  }

  /** Show an image that the reader asked for. */
  scroll(wished: number): void {
    void this.goTo(wished);
    this.host.scrolled(this);
  }

  /** Show an image; the newest wish wins while images arrive. */
  async goTo(wished: number): Promise<void> {
    const { now, stack } = this;
    if (!now || !stack || !this.store.state.count) return;
    const target = Math.min(Math.max(wished, 0), now.images.length - 1);
    const turn = this.turn;
    this.store.run('slice.wanted', { target });
    now.loader.around(target);
    if (!now.loader.isLoaded(target)) {
      this.element.classList.add('is-waiting');
      try {
        await now.loader.now(target);
      } catch (error) {
        if (this.store.state.target === target && turn === this.turn) {
          this.element.classList.remove('is-waiting');
          this.fail(error, () => {
            now.loader.retryFailed();
            void this.goTo(target);
          });
        }
        return;
      }
    }
    if (this.store.state.target !== target || turn !== this.turn) return;
    this.element.classList.remove('is-waiting');
    await stack.goTo(target);
    if (turn !== this.turn || stack.index !== target) return;
    this.message.clear();
    now.index = target;
    this.store.run('slice.shown', { index: target });
  }

  focus(): void {
    this.desk.focus({ preventScroll: true });
  }

  useTool(): void {
    this.mouse?.activate(this.host.tool(), this.host.canDraw(this));
    this.element.classList.toggle('is-closed', !this.host.canDraw(this));
  }

  usePreset(preset: Preset): void {
    const { now, stack } = this;
    const window = preset.window ?? now?.fileWindow;
    if (!now || !stack || !window) return;
    stack.window = window;
    now.preset = preset.key;
    now.window = window;
    this.store.run('window.preset', { window, preset: preset.key });
  }

  private windowed(stack: Stack): void {
    const { now } = this;
    const window = stack.window;
    if (!now || !window || this.isOpening) return;
    const known = now.window;
    const isSame = known && Math.abs(known.center - window.center) < 1e-3 * known.width && Math.abs(known.width - window.width) < 1e-3 * known.width;
    if (isSame) return;
    now.window = window;
    now.preset = null;
    this.store.run('window.dragged', { window, preset: null });
  }

  invert(): void {
    const { now, stack } = this;
    if (!now || !stack) return;
    now.inverted = !now.inverted;
    stack.inverted = isDrawnInverted(now);
    this.store.run('image.inverted', { inverted: now.inverted });
  }

  reset(): void {
    const { now, stack } = this;
    if (!now || !stack) return;
    stack.fit();
    if (now.inverted !== isInverted(now.info.modality)) this.invert();
    this.usePreset(this.presets[0]!);
  }

  pixels(): object | null {
    const image = this.now?.images[this.store.state.index];
    const found = this.stack?.pixels();
    return image && found ? { seriesUid: this.seriesUid, instanceUid: image.instanceUid, ...found } : null;
  }

  /** A notch of a wheel is one image; a touchpad's small steps add up to one. */
  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.host.chosen(this);
    if (event.ctrlKey) {
      this.stack?.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      return;
    }
    const size = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 40;
    this.wheelRest = Math.sign(size) === Math.sign(this.wheelRest) ? this.wheelRest + size : size;
    const steps = Math.abs(size) >= 80 ? Math.sign(size) : Math.trunc(this.wheelRest / 40);
    if (steps === 0) return;
    this.wheelRest = 0;
    this.scroll(this.store.state.target + steps);
  }

  private progressed(): void {
    const { now } = this;
    if (!now) return;
    this.slider.loaded(now.loader.states);
    this.store.run('images.loaded', { loaded: now.loader.loaded, total: now.images.length });
    this.host.progressed(this);
  }

  fail(error: unknown, retry: () => void): void {
    if (this.host.signal.aborted) return;
    const problem = problemOf(error);
    this.message.problem(problem, () => {
      this.message.loading('Loading images');
      retry();
    });
    this.host.failed(problem);
  }

  /** Words, slider and edges, as they are now. */
  refresh(isActive: boolean): void {
    const { now, stack } = this;
    const { state } = this.store;
    const { timepoints } = this.host.catalogue;
    const timepoint = this.host.catalogue.timepointOf(this.wanted);
    const image = now?.images[state.index] ?? null;
    const where = timepoints.length > 1 ? timepoints[timepoint]?.name : undefined;
    this.element.classList.toggle('is-active', isActive);
    this.head.show(timepoints, timepoint);
    this.desk.setAttribute('aria-label', `Images of ${[this.host.label() || 'this exam', where].filter(Boolean).join(', ')}`);
    this.slider.show(state.target, state.count);
    this.overlay.show({
      label: this.host.label(),
      series: now?.info ?? null,
      image: state.count ? image : null,
      state,
      presetName: this.presets.find((preset) => preset.key === state.preset && preset.window)?.name ?? '',
      scale: state.count && stack ? stack.scale : 1,
      isLossy: Boolean(state.count && image && (image.isLossy || isLossy(stack?.syntax ?? ''))),
    });
    this.overlay.edges(state.count && stack && image?.orientation ? stack.edges() : null);
  }

  close(): void {
    this.turn++;
    this.now?.loader.stop();
    for (const opened of this.kept.values()) opened.loader.stop();
    this.mouse?.close();
    this.stack = null;
  }
}
