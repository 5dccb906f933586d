/** One viewer at work: opens series, shows images, keeps panels and state together. The heavy part of the element. */
import { imagesOfSeries, isImageModality, type SeriesInfo } from '../core/images';
import { ViewerProblem } from '../core/problems';
import { Store, type ToolName } from '../core/store';
import { isLossy } from '../core/syntaxes';
import { isInverted, presetsFor, type Preset } from '../core/windows';
import { forgetImages, startEngine } from '../imaging/engine';
import { problemOf, SeriesLoader } from '../imaging/loading';
import { planeOf, Stack } from '../imaging/stack';
import { thumbnail } from '../imaging/thumbnail';
import { Help } from '../panels/help';
import { MarkList } from '../panels/mark-list';
import { Message } from '../panels/message';
import { Overlay } from '../panels/overlay';
import { SeriesList } from '../panels/series-list';
import { Slider } from '../panels/slider';
import { Toolbar } from '../panels/toolbar';
import { make } from '../panels/dom';
import { Lengths } from '../tools/lengths';
import { Mouse } from '../tools/mouse';
import { commandOf, type KeyCommand } from './keyboard';
import { Marking } from './marking';
import { firstLook, isDrawnInverted, opening, type Opened } from './opened';
import type { SessionFace, SessionOptions } from './parts';

const THUMBNAIL = 112;
const MOST_THUMBNAILS = 12;

export class Session implements SessionFace {
  readonly store = new Store();
  private readonly abort = new AbortController();
  private readonly overlay = new Overlay();
  private readonly message: Message;
  private readonly help: Help;
  private readonly toolbar: Toolbar;
  private readonly list = new SeriesList((uid) => void this.open(uid));
  private readonly slider = new Slider((index) => void this.goTo(index));
  private readonly markList: MarkList;
  private readonly port: HTMLDivElement;
  private readonly side: HTMLElement;
  private readonly marking: Marking | null;
  private readonly opened = new Map<string, Opened>();
  private readonly preparing = new Map<string, Promise<Opened>>();
  private series: SeriesInfo[] = [];
  private now: Opened | null = null;
  private stack: Stack | null = null;
  private mouse: Mouse | null = null;
  private turn = 0;
  private armed: { itemId: string; label: string; before: ToolName } | null = null;
  private firstAt: number | null = null;
  private isFirstTold = false;
  private isOpening = false;
  private isSideOpen: boolean;
  private wheelRest = 0;
  private label: string;

  constructor(
    private readonly frame: HTMLElement,
    private readonly options: SessionOptions,
  ) {
    this.label = options.label;
    const canMeasure = options.mode === 'read' && options.marks !== null;
    this.marking = options.marks === null ? null : new Marking(options.marks, this.host(), !canMeasure);
    this.message = new Message();
    this.help = new Help(canMeasure);
    this.toolbar = new Toolbar(
      {
        tool: (tool) => this.activate(tool),
        preset: (preset) => this.usePreset(preset),
        invert: () => this.invert(),
        fit: () => this.stack?.fit(),
        reset: () => this.reset(),
        side: () => this.toggleSide(),
        help: () => this.help.toggle(),
      },
      canMeasure,
    );
    this.markList = new MarkList(
      { show: (id) => void this.show(id), remove: (id) => this.marking?.remove(id), retry: () => this.marking?.book.retry() },
      canMeasure,
    );
    this.port = make('div', { class: 'port', tabindex: '0', role: 'application', 'aria-roledescription': 'image viewer', 'aria-label': `Images of ${this.label || 'this exam'}` });
    this.side = make('div', { class: 'side' }, this.list.element, this.markList.element);
    const stage = make('div', { class: 'stage' }, this.port, this.overlay.element, this.slider.element, this.message.element, this.message.notices);
    this.isSideOpen = frame.clientWidth >= 720;
    frame.replaceChildren(this.toolbar.element, this.side, stage, this.help.element);
    this.store.listen(() => this.refresh());
    this.refresh();
  }

  private started: Promise<void> = Promise.resolve();

  begin(): void {
    this.started = this.start();
  }

  private async start(): Promise<void> {
    this.message.loading('Loading images');
    const marks = this.marking?.load(this.abort.signal).catch(() => this.message.notice('Earlier marks could not be read. They are safe on the server; reload the page to see them.'));
    try {
      // The first image travels while the viewport is made, which keeps the main thread busy for a while.
      await startEngine();
      this.series = await this.options.series;
      await this.askAhead();
      this.stack ??= await Stack.open(this.port);
      if (this.abort.signal.aborted) return this.close();
      if (!this.mouse) this.listen(this.stack);
    } catch (error) {
      this.fail(error, () => this.retryStart());
      return;
    }
    this.list.fill([...this.series].sort((a, b) => Number(isImageModality(b.modality)) - Number(isImageModality(a.modality))), (each) => isImageModality(each.modality));
    this.options.emit('collegium:ready', { series: this.series.length });
    const first = this.firstSeries();
    if (!first) {
      this.fail(new ViewerProblem('empty', 'It holds no images that can be shown here.', 'No images', false), () => undefined);
      return;
    }
    await this.open(first.seriesUid);
    await marks;
    void this.makeThumbnails();
  }

  /** Send the request for the first image off before the main thread is busy. */
  private async askAhead(): Promise<void> {
    const first = this.firstSeries();
    if (!first) return;
    const opened = await this.prepare(first).catch(() => null);
    opened?.loader.now(opened.index).catch(() => undefined);
    await new Promise((resume) => setTimeout(resume, 12));
  }

  private firstSeries(): SeriesInfo | undefined {
    return this.series.find((each) => isImageModality(each.modality));
  }

  private retryStart(): void {
    this.options.series = this.options.dicomweb.series(this.abort.signal);
    this.begin();
  }

  async open(seriesUid: string): Promise<void> {
    const info = this.series.find((each) => each.seriesUid === seriesUid);
    const { stack } = this;
    if (!info || !stack || this.now?.info === info) return;
    const turn = ++this.turn;
    this.remember();
    this.list.current(seriesUid);
    this.message.loading('Loading images');
    this.isOpening = true;
    try {
      const opened = await this.prepare(info);
      if (turn !== this.turn) return;
      this.now?.loader.stop();
      opened.loader = this.loaderOf(opened);
      this.now = opened;
      const image = await opened.loader.now(opened.index);
      if (turn !== this.turn) return;
      firstLook(opened, image);
      const isTurned = isDrawnInverted(opened);
      await stack.show(opened.imageIds, opened.index, opened.window!, isTurned);
      if (turn !== this.turn) return;
      this.isOpening = false;
      this.message.clear();
      this.port.dataset['count'] = String(opened.images.length);
      this.store.run('series.opened', {
        seriesUid,
        index: opened.index,
        target: opened.index,
        count: opened.images.length,
        window: opened.window,
        preset: opened.preset,
        inverted: opened.inverted,
        zoom: stack.zoom,
        pan: stack.pan,
      });
      this.tellFirst();
      this.marking?.place();
      this.progressed();
      this.list.picture(seriesUid, thumbnail(image, opened.window!, isTurned, THUMBNAIL));
      opened.loader.around(opened.index);
    } catch (error) {
      if (turn !== this.turn || this.abort.signal.aborted) return;
      this.now = null;
      this.fail(error, () => void this.open(seriesUid));
    }
  }

  /** Metadata and order of a series, asked for once. */
  private prepare(info: SeriesInfo): Promise<Opened> {
    const known = this.preparing.get(info.seriesUid);
    if (known) return known;
    const asked = this.describe(info);
    this.preparing.set(info.seriesUid, asked);
    asked.catch(() => this.preparing.delete(info.seriesUid));
    return asked;
  }

  private async describe(info: SeriesInfo): Promise<Opened> {
    const metadata = await this.options.dicomweb.metadata(info, this.abort.signal);
    const images = imagesOfSeries(metadata);
    if (images.length === 0) throw new ViewerProblem('empty', 'This series holds no images that can be shown here.', 'No images', false);
    const imageIds = images.map((image) => `wadors:${this.options.dicomweb.frameUrl(info, image.instanceUid, image.frame)}`);
    images.forEach((image, index) => Stack.describe(imageIds[index]!, image.metadata));
    const opened = opening(info, images, imageIds);
    this.opened.set(info.seriesUid, opened);
    return opened;
  }

  private loaderOf(opened: Opened): SeriesLoader {
    return new SeriesLoader(opened.imageIds, () => {
      if (this.now === opened) this.progressed();
    });
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
      this.frame.classList.add('is-waiting');
      try {
        await now.loader.now(target);
      } catch (error) {
        if (this.store.state.target === target && turn === this.turn) {
          this.frame.classList.remove('is-waiting');
          this.fail(error, () => {
            now.loader.retryFailed();
            void this.goTo(target);
          });
        }
        return;
      }
    }
    if (this.store.state.target !== target || turn !== this.turn) return;
    this.frame.classList.remove('is-waiting');
    await stack.goTo(target);
    if (turn !== this.turn || stack.index !== target) return;
    this.message.clear();
    now.index = target;
    this.store.run('slice.shown', { index: target });
  }

  activate(tool: ToolName): void {
    if (tool === 'length' && (!this.marking || this.options.mode !== 'read')) return;
    this.disarm();
    this.useTool(tool);
  }

  measure(itemId: string, label: string): void {
    if (!this.marking || this.options.mode !== 'read') return;
    const before = this.armed?.before ?? this.store.state.tool;
    this.armed = { itemId, label, before };
    this.useTool('length');
    this.store.run('length.armed', { armedFor: itemId });
    this.port.focus({ preventScroll: true });
  }

  async show(markId: string): Promise<void> {
    await this.started;
    const mark = this.marking?.book.get(markId);
    if (!mark) return;
    await this.open(mark.geometry.series_uid);
    const index = this.now?.images.findIndex((image) => image.instanceUid === mark.geometry.instance_uid && image.frame === mark.geometry.frame) ?? -1;
    if (index < 0) return;
    await this.goTo(index);
    this.marking?.lengths?.choose(markId);
  }

  setLabel(label: string): void {
    this.label = label;
    this.port.setAttribute('aria-label', `Images of ${label || 'this exam'}`);
    this.refresh();
  }

  pixels(): object | null {
    const image = this.now?.images[this.store.state.index];
    const found = this.stack?.pixels();
    return image && found ? { seriesUid: this.now!.info.seriesUid, instanceUid: image.instanceUid, ...found } : null;
  }

  /** For tests and for the page: where a point of the patient is on the image area, in CSS pixels. */
  canvasOf(point: [number, number, number]): [number, number] | null {
    return this.stack?.canvasOf(point) ?? null;
  }

  command(event: KeyboardEvent): boolean {
    if (this.help.element.open) return false;
    const command = commandOf(event);
    return command ? this.obey(command) : false;
  }

  close(): void {
    if (this.abort.signal.aborted && !this.stack) return;
    this.turn++;
    this.abort.abort();
    this.marking?.close();
    this.now?.loader.stop();
    this.mouse?.close();
    for (const opened of this.opened.values()) {
      opened.loader.stop();
      forgetImages(opened.imageIds);
    }
    this.opened.clear();
    this.preparing.clear();
    this.stack?.close();
    this.stack = null;
    this.frame.replaceChildren();
  }

  private obey(command: KeyCommand): boolean {
    const { state } = this.store;
    switch (command.do) {
      case 'step':
        void this.goTo(state.target + command.by);
        return true;
      case 'first':
        void this.goTo(0);
        return true;
      case 'last':
        void this.goTo(state.count - 1);
        return true;
      case 'series':
        this.stepSeries(command.by);
        return true;
      case 'tool':
        this.activate(command.tool);
        return true;
      case 'preset': {
        const preset = this.presets().find(({ key }) => key === command.key);
        if (preset) this.usePreset(preset);
        return preset !== undefined;
      }
      case 'zoom':
        this.stack?.zoomBy(command.by);
        return true;
      case 'invert':
        this.invert();
        return true;
      case 'fit':
        this.stack?.fit();
        return true;
      case 'reset':
        this.reset();
        return true;
      case 'side':
        this.toggleSide();
        return true;
      case 'help':
        this.help.toggle();
        return true;
      case 'remove': {
        const chosen = this.marking?.lengths?.chosen;
        if (chosen) this.marking?.remove(chosen);
        return Boolean(chosen);
      }
      case 'cancel':
        if (!this.armed && state.tool !== 'length') return false;
        this.activate(this.armed?.before ?? 'window');
        return true;
    }
  }

  private listen(stack: Stack): void {
    const { signal } = this.abort;
    const canMeasure = this.marking !== null && this.options.mode === 'read';
    this.mouse = new Mouse(stack.engine.id, stack.viewport.id, canMeasure);
    this.mouse.activate(this.store.state.tool);
    if (this.marking) {
      this.marking.lengths = new Lengths(
        stack.viewport,
        { drawn: (length, isNew) => this.marking?.drawn(length, isNew), chosen: () => this.refresh() },
        signal,
      );
    }
    stack.listen((what) => {
      if (what === 'rendered') this.rendered();
      else if (what === 'window') this.windowed(stack);
      else this.store.run('camera.moved', { zoom: stack.zoom, pan: stack.pan });
    }, signal);
    this.port.addEventListener('wheel', (event) => this.wheel(event), { signal, passive: false });
    this.port.addEventListener('collegium-scroll', (event) => void this.goTo(this.store.state.target + (event as CustomEvent<number>).detail), { signal });
    this.port.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
    this.port.addEventListener('pointerdown', () => this.port.focus({ preventScroll: true }), { signal });
    const resized = new ResizeObserver(() => {
      if (this.port.clientWidth > 0 && this.port.clientHeight > 0) stack.resize();
    });
    resized.observe(this.port);
    signal.addEventListener('abort', () => resized.disconnect());
    window.addEventListener('online', () => this.marking?.book.retry(), { signal });
  }

  /** A notch of a wheel is one image; a touchpad's small steps add up to one. */
  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (event.ctrlKey) {
      this.stack?.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      return;
    }
    const size = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 40;
    this.wheelRest = Math.sign(size) === Math.sign(this.wheelRest) ? this.wheelRest + size : size;
    const steps = Math.abs(size) >= 80 ? Math.sign(size) : Math.trunc(this.wheelRest / 40);
    if (steps === 0) return;
    this.wheelRest = 0;
    void this.goTo(this.store.state.target + steps);
  }

  private host(): ConstructorParameters<typeof Marking>[1] {
    const session = this;
    return {
      get seriesUid() {
        return session.now?.info.seriesUid ?? '';
      },
      imageIdOf: (geometry) => {
        const index = this.now?.images.findIndex((image) => image.instanceUid === geometry.instance_uid && image.frame === geometry.frame) ?? -1;
        return this.now?.imageIds[index] ?? null;
      },
      imageOf: (imageId) => {
        const image = this.now?.images[this.now.imageIds.indexOf(imageId)];
        return image ? { image, plane: image.plane ?? planeOf(imageId) } : null;
      },
      takeArmed: () => this.armed,
      drawnOne: () => {
        if (this.armed) this.activate(this.armed.before);
      },
      changed: () => this.refresh(),
      notice: (message, action) => this.message.notice(message, action),
      emit: (type, detail) => this.options.emit(type, detail),
    };
  }

  private useTool(tool: ToolName): void {
    this.mouse?.activate(tool);
    this.store.run('tool.chosen', { tool });
  }

  private disarm(): void {
    this.armed = null;
    this.store.run('length.disarmed', { armedFor: null });
  }

  private presets(): readonly Preset[] {
    return presetsFor(this.now?.info.modality ?? '');
  }

  private usePreset(preset: Preset): void {
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

  private invert(): void {
    const { now, stack } = this;
    if (!now || !stack) return;
    now.inverted = !now.inverted;
    stack.inverted = isDrawnInverted(now);
    this.store.run('image.inverted', { inverted: now.inverted });
  }

  private reset(): void {
    const { now, stack } = this;
    if (!now || !stack) return;
    stack.fit();
    if (now.inverted !== isInverted(now.info.modality)) this.invert();
    this.usePreset(this.presets()[0]!);
  }

  private toggleSide(): void {
    this.isSideOpen = !this.isSideOpen;
    this.refresh();
  }

  private stepSeries(by: number): void {
    const images = this.series.filter((each) => isImageModality(each.modality));
    const at = images.findIndex((each) => each === this.now?.info);
    const next = images[at + by];
    if (next) void this.open(next.seriesUid);
  }

  private remember(): void {
    if (this.now) this.now.index = this.store.state.index;
  }

  private rendered(): void {
    if (this.now) this.firstAt ??= performance.now();
    this.tellFirst();
    this.refreshOverlay();
  }

  /** Told once, when the image is drawn and the state says which it is. */
  private tellFirst(): void {
    if (this.isFirstTold || this.isOpening || this.firstAt === null) return;
    this.isFirstTold = true;
    this.options.emit('collegium:first-image', { ms: Math.round(this.firstAt - this.options.startedAt) });
  }

  private progressed(): void {
    const { now } = this;
    if (!now) return;
    const loaded = now.loader.loaded;
    const total = now.images.length;
    this.slider.loaded(now.loader.states);
    this.list.progress(now.info.seriesUid, loaded, total);
    this.store.run('images.loaded', { loaded, total });
    this.options.emit('collegium:progress', { loaded, total });
  }

  private fail(error: unknown, retry: () => void): void {
    if (this.abort.signal.aborted) return;
    const problem = problemOf(error);
    this.message.problem(problem, () => {
      this.message.loading('Loading images');
      retry();
    });
    this.options.emit('collegium:error', { message: `${problem.title}. ${problem.message}`, kind: problem.kind });
  }

  private refresh(): void {
    const { state } = this.store;
    this.frame.classList.toggle('has-side', this.isSideOpen);
    this.frame.classList.toggle('is-armed', state.armedFor !== null);
    this.frame.dataset['tool'] = state.tool;
    this.toolbar.show(state, this.presets(), this.isSideOpen);
    this.slider.show(state.target, state.count);
    this.refreshOverlay();
    this.markList.fill(this.marking?.book.all ?? [], (mark) => this.placeOf(mark.geometry), this.marking?.lengths?.chosen ?? null);
  }

  private placeOf(geometry: { series_uid: string; instance_uid: string; frame: number }): string {
    const opened = this.opened.get(geometry.series_uid);
    const index = opened?.images.findIndex((image) => image.instanceUid === geometry.instance_uid && image.frame === geometry.frame) ?? -1;
    return index < 0 ? '' : `${opened!.info.modality} image ${index + 1}`;
  }

  private refreshOverlay(): void {
    const { now, stack } = this;
    const { state } = this.store;
    const image = now?.images[state.index] ?? null;
    this.overlay.show({
      label: this.label,
      series: now?.info ?? null,
      image: state.count ? image : null,
      state,
      presetName: this.presets().find((preset) => preset.key === state.preset && preset.window)?.name ?? '',
      scale: state.count && stack ? stack.scale : 1,
      isLossy: Boolean(state.count && image && (image.isLossy || isLossy(stack?.syntax ?? ''))),
    });
    this.overlay.edges(state.count && stack && image?.orientation ? stack.edges() : null);
  }

  /** Small pictures of the other series, when the shown one is loaded. */
  private async makeThumbnails(): Promise<void> {
    const others = this.series.filter((each) => isImageModality(each.modality) && each !== this.now?.info).slice(0, MOST_THUMBNAILS);
    for (const info of others) {
      while (!this.abort.signal.aborted && this.now && this.now.loader.isBusy) await new Promise((resume) => setTimeout(resume, 150));
      if (this.abort.signal.aborted) return;
      try {
        const opened = await this.prepare(info);
        const image = await opened.loader.now(opened.index);
        firstLook(opened, image);
        this.list.picture(info.seriesUid, thumbnail(image, opened.window!, isDrawnInverted(opened), THUMBNAIL));
        this.list.progress(info.seriesUid, opened.loader.loaded, opened.images.length);
        this.refresh();
      } catch {
        // No picture: the series says why when it is opened.
      }
    }
  }
}
