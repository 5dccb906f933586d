/** One viewer at work: joins image areas, panels, tools and marks. The heavy part of the element. */
import type { MarkGeometry } from '../api/marks';
import { firstSeries } from '../core/timepoints';
import { follow, offsetBetween, type Offset } from '../core/linking';
import { isImageModality, type SeriesInfo } from '../core/images';
import { ViewerProblem } from '../core/problems';
import { EMPTY_VIEWER, isMeasuring, Store, type MeasureKind, type ToolName, type ViewerState } from '../core/store';
import { endEngine, newEngine, startEngine, type Engine } from '../imaging/engine';
import { thumbnail } from '../imaging/thumbnail';
import { Help, type KeyRow } from '../panels/help';
import { LayerList } from '../panels/layer-list';
import { MarkList } from '../panels/mark-list';
import { make } from '../panels/dom';
import { SeriesList } from '../panels/series-list';
import { Toolbar } from '../panels/toolbar';
import { Measures } from '../tools/measures';
import { Area, type AreaHost } from './area';
import { Catalogue, indexIn } from './catalogue';
import { commandOf, type KeyCommand } from './keyboard';
import { Marking, type MarkingHost } from './marking';
import { firstLook, isDrawnInverted, opening } from './opened';
import type { SessionFace, SessionOptions } from './parts';

/** A series, and the mark whose image is the first to be seen. */
interface Wanted {
  info: SeriesInfo;
  at: MarkGeometry | undefined;
}

const THUMBNAIL = 112;
const MOST_THUMBNAILS = 12;

export class Session implements SessionFace {
  readonly store = new Store<ViewerState>(EMPTY_VIEWER);
  private readonly abort = new AbortController();
  private readonly catalogue: Catalogue;
  private readonly canMeasure: boolean;
  private readonly toolbar: Toolbar;
  private readonly help: Help;
  private readonly list = new SeriesList((uid) => void this.openFromList(uid));
  private readonly markList: MarkList;
  private readonly layerList: LayerList;
  private readonly stage: HTMLElement;
  private readonly marking: Marking | null;
  /** The area of the current timepoint stands last. */
  private areas: Area[] = [];
  private engine: Engine | null = null;
  /** How far the image of one area is from that of another, while they are linked. */
  private offsets = new Map<Area, Map<Area, Offset>>();
  private armed: { itemId: string; label: string; before: ToolName } | null = null;
  private firstAt: number | null = null;
  private isFirstTold = false;
  private isSideOpen: boolean;
  private label: string;
  private started: Promise<void> = Promise.resolve();

  constructor(
    private readonly frame: HTMLElement,
    private readonly options: SessionOptions,
  ) {
    this.label = options.label;
    this.catalogue = new Catalogue(options.dicomweb, this.abort.signal);
    this.canMeasure = options.mode === 'read' && options.marks !== null;
    this.marking = options.marks === null ? null : new Marking(options.marks, this.markingHost(), !this.canMeasure);
    if (this.marking) {
      this.marking.measures = new Measures(
        { drawn: (drawn, isNew) => this.marking?.drawn(drawn, isNew), halfDrawn: () => this.refresh(), chosen: () => this.refresh() },
        this.abort.signal,
      );
    }
    this.help = new Help(() => ({
      canMeasure: this.canMeasure,
      presets: this.active.presets,
      hasTwoAreas: this.areas.length > 1,
      layerKeys: this.marking?.layers.all.map(({ key }) => key).filter(Boolean) ?? [],
    }));
    this.toolbar = new Toolbar(
      {
        tool: (tool) => this.activate(tool),
        preset: (preset) => this.active.usePreset(preset),
        invert: () => this.active.invert(),
        fit: () => this.active.stack?.fit(),
        reset: () => this.active.reset(),
        link: () => this.link(!this.store.state.isLinked),
        alone: () => this.stand(!this.store.state.isAlone),
        side: () => this.toggleSide(),
        help: () => this.help.toggle(),
      },
      this.canMeasure,
    );
    const show = (id: string): void => void this.show(id);
    this.markList = new MarkList({ show, remove: (id) => void this.marking?.remove(id), retry: () => this.marking?.book.retry() }, this.canMeasure);
    this.layerList = new LayerList({ show, toggle: (name, isShown) => this.marking?.showLayer(name, isShown) });
    const side = make('div', { class: 'side' }, this.list.element, this.layerList.element, this.markList.element);
    this.areas = [new Area(this.areaHost(), 'current')];
    this.stage = make('div', { class: 'stage' }, this.active.element, this.active.message.notices);
    this.isSideOpen = frame.clientWidth >= 720;
    frame.replaceChildren(this.toolbar.element, side, this.stage, this.help.element);
    this.store.listen(() => this.refresh());
    window.addEventListener('online', () => this.marking?.book.retry(), { signal: this.abort.signal });
    this.refresh();
  }

  /** The area that keys and tools act on. */
  get active(): Area {
    return this.areas[this.store.state.active] ?? this.areas.at(-1)!;
  }

  /** The area of the current timepoint, if no other was chosen for it. */
  private get last(): Area {
    return this.areas.at(-1)!;
  }

  begin(): void {
    this.started = this.start();
  }

  private async start(): Promise<void> {
    const { last } = this;
    last.message.loading('Loading images');
    const marks = this.marking?.load(this.abort.signal).catch(() => this.notice('Earlier marks could not be read. They are safe on the server; reload the page to see them.'));
    let first: Wanted | null = null;
    try {
      // The first image travels while the viewport is made, which keeps the main thread busy for a while.
      await startEngine();
      this.catalogue.take(await this.options.series);
      if (this.options.beginsAtMark) await marks;
      first = this.firstToShow();
      await this.askAhead(first);
      this.engine ??= await newEngine();
      if (this.abort.signal.aborted) return this.close();
      this.standUp(this.engine);
    } catch (error) {
      last.fail(error, () => this.retryStart());
      return;
    }
    this.list.fill(this.catalogue);
    this.options.emit('collegium:ready', { series: this.catalogue.series.length, timepoints: this.catalogue.timepoints.length });
    if (!first) {
      last.fail(new ViewerProblem('empty', 'It holds no images that can be shown here.', 'No images', false), () => undefined);
      return;
    }
    await last.open(first.info, first.at);
    await marks;
    await this.openEarlier();
    void this.makeThumbnails();
  }

  /** Timepoints with images before the one that is shown as current, oldest first. */
  private earlierTimepoints(): typeof this.catalogue.timepoints {
    return this.catalogue.timepoints.filter(({ series }) => series.length > 0).slice(0, -1);
  }

  /** One area for one timepoint, two beside each other for more. */
  private standUp(engine: Engine): void {
    if (this.areas.length === 1 && this.earlierTimepoints().length > 0) {
      const earlier = new Area(this.areaHost(), 'earlier');
      this.areas = [earlier, this.last];
      this.stage.prepend(earlier.element);
      earlier.message.loading('Loading images');
      this.store.run('areas.placed', { active: 1 });
    }
    for (const area of this.areas) {
      if (area.stack) continue;
      area.attach(engine);
      this.marking?.measures?.attach(area.stack!.viewport);
    }
  }

  /** The series to begin with: the newest timepoint's first, or that of the first mark, at its image. */
  private firstToShow(): Wanted | null {
    const at = this.options.beginsAtMark ? this.marking?.first(() => true) : undefined;
    const info = (at && this.catalogue.find(at.series_uid)) ?? firstSeries(this.catalogue.series);
    return info ? { info, at } : null;
  }

  /** Beside it the timepoint before, at its first finding if it has one. */
  private async openEarlier(): Promise<void> {
    const series = this.earlierTimepoints().at(-1)?.series ?? [];
    const at = this.marking?.first((mark) => series.some(({ seriesUid }) => seriesUid === mark.series_uid));
    const info = (at && this.catalogue.find(at.series_uid)) ?? series[0];
    if (info && this.areas.length > 1) await this.areas[0]!.open(info, at);
  }

  /** Send the request for the first image off before the main thread is busy. */
  private async askAhead(first: Wanted | null): Promise<void> {
    const described = first && (await this.catalogue.describe(first.info).catch(() => null));
    if (!described) return;
    const ahead = opening(described, first.at);
    ahead.loader.now(ahead.index).catch(() => undefined);
    await new Promise((resume) => setTimeout(resume, 12));
  }

  private retryStart(): void {
    this.options.series = this.options.dicomweb.series(this.abort.signal);
    this.begin();
  }

  private async openFromList(seriesUid: string): Promise<void> {
    const info = this.catalogue.find(seriesUid);
    if (info) await this.openIn(this.areaFor(seriesUid), info);
  }

  private async openIn(area: Area, info: SeriesInfo): Promise<void> {
    this.choose(area);
    await area.open(info);
  }

  /** Where a series is shown: where it is already, else where its timepoint stands, else in the area that is in use. */
  private areaFor(seriesUid: string): Area {
    const timepoint = this.catalogue.timepointOf(seriesUid);
    const inUse = [this.active, ...this.areas];
    return (
      inUse.find((area) => area.seriesUid === seriesUid) ??
      inUse.find((area) => this.catalogue.timepointOf(area.seriesUid) === timepoint) ??
      (timepoint === this.catalogue.timepoints.length - 1 ? this.last : this.active)
    );
  }

  private choose(area: Area): void {
    const active = this.areas.indexOf(area);
    if (active >= 0 && active !== this.store.state.active) this.store.run('area.chosen', { active });
  }

  private canDraw(area: Area): boolean {
    return this.canMeasure && this.isDrawable(area.seriesUid);
  }

  /** Only the current timepoint is drawn on, unless the page allows it everywhere. */
  private isDrawable(seriesUid: string): boolean {
    const { timepoints } = this.catalogue;
    return this.options.drawsEverywhere || timepoints.length < 2 || this.catalogue.timepointOf(seriesUid) === timepoints.length - 1;
  }

  /** What a measurement that is begun waits for, in one line. */
  private hint(): string {
    const { tool } = this.store.state;
    if (this.marking?.measures?.isHalfDrawn) return 'Drag the short diameter across, or press Enter to keep the proposed one. Esc discards.';
    if (!isMeasuring(tool)) return '';
    const thing = tool === 'length' ? 'Drag from one end to the other.' : 'Drag the long diameter, from edge to edge.';
    return `${this.armed?.label ? `${this.armed.label}: ` : ''}${thing} Esc stops.`;
  }

  activate(tool: ToolName): void {
    if (isMeasuring(tool) && !this.canMeasure) return;
    const { measures } = this.marking ?? {};
    if (isMeasuring(tool)) measures?.dropHalf();
    // Two diameters that are begun wait, with their form item, while the reader looks with another tool.
    if (!measures?.isHalfDrawn) this.disarm();
    this.useTool(tool);
  }

  measure(itemId: string, label: string, kind: MeasureKind): void {
    if (!this.canMeasure) return;
    const before = this.armed?.before ?? this.store.state.tool;
    this.armed = { itemId, label, before };
    this.marking?.measures?.dropHalf();
    void this.toDrawable();
    this.useTool(kind);
    this.store.run('measure.armed', { armedFor: itemId });
    this.active.focus();
    void this.alongside(label, this.active);
  }

  /** A form item waits for a mark: the area in use must be one that takes it. */
  private async toDrawable(): Promise<void> {
    if (this.canDraw(this.active)) return;
    const area = this.areas.find((each) => this.canDraw(each)) ?? this.last;
    this.choose(area);
    const series = this.catalogue.timepoints.at(-1)?.series[0];
    if (!this.canDraw(area) && series) await area.open(series);
  }

  async show(markId: string): Promise<void> {
    await this.started;
    const geometry = this.marking?.geometryOf(markId);
    if (!geometry || !this.catalogue.find(geometry.series_uid)) return;
    const layer = this.marking?.layers.find(markId)?.layer;
    if (layer && !layer.isShown) this.marking?.showLayer(layer.name, true);
    const area = this.areaFor(geometry.series_uid);
    this.choose(area);
    await this.goToMark(area, geometry);
    this.marking?.measures?.choose(markId);
    await this.alongside(geometry.label, area);
  }

  private async goToMark(area: Area, geometry: MarkGeometry): Promise<void> {
    const info = this.catalogue.find(geometry.series_uid);
    if (!info) return;
    await area.open(info, geometry);
    const index = indexIn(area.images, geometry);
    if (index < 0) return;
    this.moved(area, index);
    await area.goTo(index);
  }

  /** The other areas go to the same finding at their timepoint, where they have a mark of it. */
  private async alongside(label: string, area: Area): Promise<void> {
    if (!label) return;
    for (const other of this.areas.filter((each) => each !== area)) {
      const timepoint = this.catalogue.timepointOf(other.seriesUid);
      const same = this.marking?.first((mark) => mark.label === label && this.catalogue.timepointOf(mark.series_uid) === timepoint);
      if (same && timepoint !== this.catalogue.timepointOf(area.seriesUid)) await this.goToMark(other, same);
    }
    if (this.store.state.isLinked) this.measureOffsets();
  }

  /** Keys act on the images from now on. */
  focus(): void {
    this.active.focus();
  }

  showHelp(): void {
    this.help.toggle();
  }

  explain(name: string, rows: readonly KeyRow[]): void {
    this.help.explain(name, rows);
  }

  setLabel(label: string): void {
    this.label = label;
    this.refresh();
  }

  state(): object {
    const { tool, armedFor, active, isLinked, isAlone } = this.store.state;
    const areas = this.areas.map((area) => ({ timepoint: this.catalogue.timepointOf(area.seriesUid) + 1, ...area.store.state }));
    const layers = this.marking?.layers.all.map(({ name, isShown, marks }) => ({ name, isShown, marks: marks.length })) ?? [];
    return { ...this.active.store.state, tool, armedFor, active, isLinked, isAlone, areas, layers };
  }

  pixels(area?: number): object | null {
    return (area === undefined ? this.active : this.areas[area])?.pixels() ?? null;
  }

  /** For tests and for the page: where a point of the patient is on an image area, in CSS pixels. */
  canvasOf(point: [number, number, number], area?: number): [number, number] | null {
    return (area === undefined ? this.active : this.areas[area])?.stack?.canvasOf(point) ?? null;
  }

  command(event: KeyboardEvent): boolean {
    if (this.help.element.open) return false;
    const layer = event.shiftKey && this.marking?.layers.byKey(event.key.toUpperCase());
    const command = commandOf(event, Boolean(layer));
    if (command?.do === 'layer') {
      if (layer) this.marking?.showLayer(layer.name, !layer.isShown);
      return true;
    }
    return command ? this.obey(command) : false;
  }

  close(): void {
    this.abort.abort();
    this.marking?.close();
    for (const area of this.areas) area.close();
    this.catalogue.forget();
    if (this.engine) endEngine(this.engine);
    this.engine = null;
    this.frame.replaceChildren();
  }

  private obey(command: KeyCommand): boolean {
    const area = this.active;
    const { state } = area.store;
    switch (command.do) {
      case 'step':
        area.scroll(state.target + command.by);
        return true;
      case 'first':
        area.scroll(0);
        return true;
      case 'last':
        area.scroll(state.count - 1);
        return true;
      case 'series':
        this.stepSeries(command.by);
        return true;
      case 'tool':
        this.activate(command.tool);
        return true;
      case 'preset': {
        const preset = area.presets.find(({ key }) => key === command.key);
        if (preset) area.usePreset(preset);
        return preset !== undefined;
      }
      case 'zoom':
        area.stack?.zoomBy(command.by);
        return true;
      case 'invert':
        area.invert();
        return true;
      case 'fit':
        area.stack?.fit();
        return true;
      case 'reset':
        area.reset();
        return true;
      case 'side':
        this.toggleSide();
        return true;
      case 'help':
        this.help.toggle();
        return true;
      case 'link':
        this.link(!this.store.state.isLinked);
        return true;
      case 'alone':
        this.stand(!this.store.state.isAlone);
        return true;
      case 'other':
        if (this.areas.length < 2) return false;
        this.store.run('area.chosen', { active: 1 - this.store.state.active });
        this.active.focus();
        return true;
      case 'remove':
        return this.marking?.measures?.dropHalf() || this.marking?.remove(this.marking.measures?.chosen ?? '') || false;
      case 'accept':
        return this.marking?.measures?.acceptHalf() ?? false;
      case 'cancel': {
        const wasHalf = this.marking?.measures?.dropHalf() ?? false;
        if (!this.armed && !isMeasuring(this.store.state.tool)) return wasHalf;
        this.activate(this.armed?.before ?? 'window');
        return true;
      }
      case 'layer':
        return false;
    }
  }

  private areaHost(): AreaHost {
    return {
      catalogue: this.catalogue,
      signal: this.abort.signal,
      canMeasure: this.canMeasure,
      label: () => this.label,
      tool: () => this.store.state.tool,
      canDraw: (area) => this.canDraw(area),
      chosen: (area) => this.choose(area),
      timepoint: (area, index) => {
        const series = this.sameSeries(area, index);
        if (series) void this.openIn(area, series);
      },
      opened: (area, opened, image) => {
        this.marking?.place();
        this.list.picture(area.seriesUid, thumbnail(image, opened.window!, isDrawnInverted(opened), THUMBNAIL));
        if (this.store.state.isLinked) this.measureOffsets();
        this.tellFirst();
        this.refresh();
      },
      scrolled: (area) => this.moved(area, area.store.state.target),
      rendered: (area) => {
        if (area === this.last && area.seriesUid) this.firstAt ??= performance.now();
        this.tellFirst();
        area.refresh(this.isOutlined(area));
      },
      progressed: (area) => {
        const { loaded, total } = area.store.state;
        this.list.progress(area.seriesUid, loaded, total);
        if (area === this.active) this.options.emit('collegium:progress', { loaded, total });
      },
      changed: () => this.refresh(),
      failed: (problem) => this.options.emit('collegium:error', { message: `${problem.title}. ${problem.message}`, kind: problem.kind }),
      refusedDrawing: () => this.notice(`Marks are drawn on ${this.catalogue.timepoints.at(-1)?.name}, the current one. Earlier timepoints are for comparison.`),
    };
  }

  private markingHost(): MarkingHost {
    return {
      imageIdOf: (geometry) => this.catalogue.imageIdOf(geometry),
      imageOf: (imageId) => this.catalogue.imageOf(imageId),
      isFixed: (geometry) => !this.isDrawable(geometry.series_uid),
      takeArmed: () => this.armed,
      drawnOne: () => {
        if (this.armed) this.activate(this.armed.before);
      },
      changed: () => this.refresh(),
      notice: (message, action) => this.notice(message, action),
      emit: (type, detail) => this.options.emit(type, detail),
    };
  }

  /** The series of another timepoint that is most like the one in an area: same modality and name, else the first. */
  private sameSeries(area: Area, timepoint: number): SeriesInfo | undefined {
    const now = this.catalogue.find(area.seriesUid);
    const there = this.catalogue.timepoints[timepoint]?.series ?? [];
    const alike = there.filter((each) => each.modality === now?.modality);
    return alike.find((each) => each.description === now?.description) ?? alike[0] ?? there[0];
  }

  private link(isLinked: boolean): void {
    if (this.areas.length < 2) return;
    if (isLinked) this.measureOffsets();
    this.store.run('areas.linked', { isLinked });
    if (isLinked) this.moved(this.active, this.active.store.state.target);
  }

  private measureOffsets(): void {
    this.offsets = new Map(
      this.areas.map((from) => [
        from,
        new Map(
          this.areas
            .filter((to) => to !== from && to.images.length > 0 && from.images.length > 0)
            .map((to) => [to, offsetBetween(from.images, from.store.state.target, to.images, to.store.state.target)]),
        ),
      ]),
    );
  }

  /** An area goes to an image: those that are linked to it follow. */
  private moved(area: Area, index: number): void {
    if (!this.store.state.isLinked) return;
    for (const [other, offset] of this.offsets.get(area) ?? []) void other.goTo(follow(area.images, index, other.images, offset));
  }

  /** Show the active area alone, or all of them. */
  private stand(isAlone: boolean): void {
    if (this.areas.length > 1) this.store.run('areas.stood', { isAlone });
  }

  private useTool(tool: ToolName): void {
    this.store.run('tool.chosen', { tool });
    for (const area of this.areas) area.useTool();
  }

  private disarm(): void {
    this.armed = null;
    this.store.run('measure.disarmed', { armedFor: null });
  }

  private toggleSide(): void {
    this.isSideOpen = !this.isSideOpen;
    this.refresh();
  }

  /** The next series of the timepoint in the active area. */
  private stepSeries(by: number): void {
    const area = this.active;
    const series = this.catalogue.timepoints[this.catalogue.timepointOf(area.seriesUid)]?.series ?? [];
    const next = series[series.findIndex((each) => each.seriesUid === area.seriesUid) + by];
    if (next) void area.open(next);
  }

  /** Told once, when the image is drawn and the state says which it is. */
  private tellFirst(): void {
    if (this.isFirstTold || this.firstAt === null || !this.last.store.state.count) return;
    this.isFirstTold = true;
    this.options.emit('collegium:first-image', { ms: Math.round(this.firstAt - this.options.startedAt) });
  }

  private notice(message: string, action?: { name: string; act: () => void }): void {
    this.last.message.notice(message, action);
  }

  private isOutlined(area: Area): boolean {
    return this.areas.length > 1 && area === this.active;
  }

  private refresh(): void {
    const { state } = this.store;
    this.frame.classList.toggle('has-side', this.isSideOpen);
    this.frame.classList.toggle('is-armed', state.armedFor !== null);
    this.frame.classList.toggle('has-two', this.areas.length > 1);
    this.frame.dataset['tool'] = state.tool;
    const hint = this.hint();
    for (const area of this.areas) {
      area.element.hidden = state.isAlone && area !== this.active;
      area.refresh(this.isOutlined(area));
      area.hint.show(this.canDraw(area) ? hint : '');
    }
    this.toolbar.show({ ...state, ...this.active.store.state }, this.active.presets, this.isSideOpen, this.areas.length);
    this.list.current(this.active.seriesUid, this.areas.map((area) => area.seriesUid));
    const chosen = this.marking?.measures?.chosen ?? null;
    this.layerList.fill(this.marking?.layers.all ?? [], (mark) => this.catalogue.placeOf(mark), chosen);
    this.markList.fill(this.marking?.book.all ?? [], (mark) => this.catalogue.placeOf(mark.geometry), chosen);
  }

  /** Small pictures of the other series, when the shown ones are loaded. */
  private async makeThumbnails(): Promise<void> {
    const shown = new Set(this.areas.map((area) => area.seriesUid));
    const others = this.catalogue.series.filter((each) => isImageModality(each.modality) && !shown.has(each.seriesUid)).slice(0, MOST_THUMBNAILS);
    for (const info of others) {
      while (!this.abort.signal.aborted && this.areas.some((area) => area.isBusy)) await new Promise((resume) => setTimeout(resume, 150));
      if (this.abort.signal.aborted) return;
      try {
        const opened = opening(await this.catalogue.describe(info));
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
