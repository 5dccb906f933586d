/**
 * `<collegium-viewer>`: the light part. It asks the server for the series at once and loads the heavy part meanwhile.
 *
 * Attributes: `dicomweb` (DICOMweb root), `study` (UID of the only study to show, none = all below the root), `marks` (root of
 * the marks, none = no drawing), `label` (subject label), `mode` (`read` draws, `view` only looks), `draw` (`all`: on earlier
 * timepoints too), `begin` (`mark`: at the image of the first mark). Events and methods are listed in `viewer/README.md`.
 */
import './viewer.css';
import styles from './panels/viewer.css?inline';
import { DicomWeb } from './api/dicomweb';
import { ViewerProblem } from './core/problems';
import { EMPTY_AREA, EMPTY_VIEWER, type ToolName } from './core/store';
import { firstSeries } from './core/timepoints';
import type { Session } from './modes/session';
import { make } from './panels/dom';
import { Message } from './panels/message';

const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);

function hasWebGl2(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

const noWebGl = (): ViewerProblem =>
  new ViewerProblem(
    'no-webgl',
    'This browser has no WebGL2, which drawing needs. Turn on hardware acceleration in its settings, or use a current Chrome, Edge, Firefox or Safari.',
    'Images cannot be drawn here',
    false,
  );

const noCode = (): ViewerProblem =>
  new ViewerProblem('network', 'A part of the viewer could not be loaded. Check the connection and retry.', 'The viewer is not loaded');

export class CollegiumViewer extends HTMLElement {
  static readonly observedAttributes = ['dicomweb', 'study', 'marks', 'label', 'mode', 'draw', 'begin'];
  private session: Promise<Session | null> | null = null;
  private live: Session | null = null;
  private abort = new AbortController();

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    if (!this.session) this.restart();
  }

  disconnectedCallback(): void {
    // Moved within the page: connectedCallback follows at once, and nothing needs to start again.
    queueMicrotask(() => {
      if (!this.isConnected) this.stop();
    });
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.session) return;
    if (name === 'label') this.live?.setLabel(after ?? '');
    else this.restart();
  }

  /** Choose what the left button does: window, scroll, zoom, pan, length or bidirectional. */
  activate(tool: ToolName): void {
    void this.session?.then((session) => session?.activate(tool));
  }

  /** Wait for a length, or two diameters, that belong to a form item; `label` is written beside them. */
  measure(itemId: string, label = '', kind = 'length'): void {
    void this.session?.then((session) => session?.measure(itemId, label, kind === 'bidirectional' ? kind : 'length'));
  }

  /** Go to a mark, the reader's own or one of a layer, and choose it; keys act on the images from then on. */
  async show(markId: string): Promise<void> {
    const session = await this.session;
    session?.focus();
    await session?.show(markId);
    session?.focus();
  }

  /** Keys act on the images. */
  override focus(): void {
    void this.session?.then((session) => session?.focus());
  }

  /** The sheet of keys, on and off. */
  help(): void {
    void this.session?.then((session) => session?.showHelp());
  }

  /** Keys of the page around the viewer, for the same sheet: `[keys, what they do]`. */
  explain(name: string, rows: readonly (readonly [string, string])[]): void {
    void this.session?.then((session) => session?.explain(name, rows));
  }

  /** Stored values of the image on the screen: of the active area, or of one counted from the left. */
  screenPixels(area?: number): object | null {
    return this.live?.pixels(area) ?? null;
  }

  state(): object {
    return this.live?.state() ?? { ...EMPTY_AREA, ...EMPTY_VIEWER, areas: [], layers: [] };
  }

  /** Where a point of the patient (mm, LPS) lies in an image area, in CSS pixels from its upper left. */
  canvasOf(point: [number, number, number], area?: number): [number, number] | null {
    return this.live?.canvasOf(point, area) ?? null;
  }

  private restart(): void {
    this.stop();
    this.abort = new AbortController();
    this.session = this.begin(this.abort.signal, performance.now());
  }

  private stop(): void {
    this.abort.abort();
    this.live?.close();
    this.live = null;
    this.session = null;
    document.removeEventListener('keydown', this.keys, { capture: true });
    this.shadowRoot!.replaceChildren();
  }

  private async begin(signal: AbortSignal, startedAt: number): Promise<Session | null> {
    const frame = make('div', { class: 'viewer' });
    const message = new Message();
    frame.append(message.element);
    this.shadowRoot!.replaceChildren(frame);
    const root = this.getAttribute('dicomweb');
    if (!root) return null;
    if (!hasWebGl2()) {
      message.problem(noWebGl(), () => undefined);
      this.emit('collegium:error', { message: noWebGl().message, kind: 'no-webgl' });
      return null;
    }
    message.loading('Loading images');
    const dicomweb = new DicomWeb(root, this.getAttribute('study') ?? '');
    const series = dicomweb.series(signal);
    // A failure is judged when the session starts; until then it must not count as unhandled.
    series
      .then((found) => {
        const first = firstSeries(found);
        if (first) dicomweb.askAhead(first, signal);
      })
      .catch(() => undefined);
    let heavy: typeof import('./modes/session');
    try {
      heavy = await import('./modes/session');
    } catch {
      message.problem(noCode(), () => this.restart());
      this.emit('collegium:error', { message: noCode().message, kind: 'network' });
      return null;
    }
    if (signal.aborted) return null;
    const session = new heavy.Session(frame, {
      dicomweb,
      series,
      marks: this.getAttribute('marks'),
      label: this.getAttribute('label') ?? '',
      mode: this.getAttribute('mode') === 'read' ? 'read' : 'view',
      drawsEverywhere: this.getAttribute('draw') === 'all',
      beginsAtMark: this.getAttribute('begin') === 'mark',
      startedAt,
      emit: (type, detail) => this.emit(type, detail),
    });
    this.live = session;
    document.addEventListener('keydown', this.keys, { capture: true });
    session.begin();
    return session;
  }

  /** Keys work inside the viewer, and when nothing on the page has the focus. */
  private readonly keys = (event: KeyboardEvent): void => {
    const path = event.composedPath();
    const isOurs = path.includes(this) || document.activeElement === document.body || document.activeElement === null;
    // The browser would undo typing in a field that nobody looks at, and the page would save that.
    if (isOurs && (event.ctrlKey || event.metaKey) && /^[zy]$/i.test(event.key)) event.preventDefault();
    if (isOurs && this.live?.command(event)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };

  private emit(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get('collegium-viewer')) customElements.define('collegium-viewer', CollegiumViewer);
