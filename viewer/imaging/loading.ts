/**
 * Fetches the frames of one series, from the shown image outwards, a few at a time.
 *
 * The image that the reader waits for always goes first. A frame that fails is tried three times with pauses; a missing
 * or undecodable one is reported once and not asked for again until the reader retries.
 */
import { cache, Enums, imageLoader, type Types } from '@cornerstonejs/core';
import { outwards } from '../core/order';
import { denied, fromStatus, networkDown, ViewerProblem } from '../core/problems';
import { syntaxName } from '../core/syntaxes';
import { PARALLEL_FRAMES } from './engine';

const PAUSES_MS = [400, 1500, 4000];

/** What the loader throws is an XMLHttpRequest for the network and an Error for the decoder. */
export function problemOf(error: unknown): ViewerProblem {
  if (error instanceof ViewerProblem) return error;
  if (error instanceof XMLHttpRequest) {
    if (error.status === 404) return new ViewerProblem('not-found', 'The server does not have this image.', 'This image is missing');
    if (error.status === 401 || error.status === 403) return denied();
    return error.status === 0 ? networkDown() : fromStatus(error.status);
  }
  const message = error instanceof Error ? error.message : String(error);
  const syntax = /no decoder for transfer syntax ([\d.]+\d)/i.exec(message)?.[1];
  if (syntax) {
    return new ViewerProblem('syntax', `It is stored as ${syntaxName(syntax)}, which this viewer cannot decode.`, 'This image cannot be shown', false);
  }
  return new ViewerProblem('broken', `Its pixels cannot be decoded (${message || 'no reason given'}).`, 'This image cannot be shown');
}

const isWorthRepeating = (problem: ViewerProblem): boolean => problem.kind === 'network' || problem.kind === 'server';

/** As the library's own loading into its cache, which leaves a failure unhandled. */
function load(imageId: string, requestType: Enums.RequestType): Promise<Types.IImage> {
  const known = cache.getImageLoadObject(imageId);
  if (known) return known.promise;
  const promise = imageLoader.loadImage(imageId, { requestType, priority: requestType === Enums.RequestType.Interaction ? 0 : 5 });
  cache.putImageLoadObject(imageId, { promise }).catch(() => undefined);
  return promise;
}

export type FrameState = 'none' | 'loaded' | 'failed';

export class SeriesLoader {
  readonly states: FrameState[];
  readonly problems = new Map<number, ViewerProblem>();
  private readonly pending = new Map<number, Promise<Types.IImage>>();
  private centre = 0;
  private running = 0;
  private stopped = false;

  constructor(
    readonly imageIds: readonly string[],
    private readonly onProgress: (index: number) => void,
  ) {
    this.states = imageIds.map((imageId) => (cache.getImage(imageId) ? 'loaded' : 'none'));
  }

  get loaded(): number {
    return this.states.filter((state) => state === 'loaded').length;
  }

  get isBusy(): boolean {
    return this.pending.size > 0;
  }

  /** The image at `index`, before everything else. */
  now(index: number): Promise<Types.IImage> {
    return this.fetch(index, Enums.RequestType.Interaction);
  }

  isLoaded(index: number): boolean {
    return this.states[index] === 'loaded' && cache.getImage(this.imageIds[index]!) !== undefined;
  }

  /** Fetch the rest, nearest to `index` first. */
  around(index: number): void {
    this.centre = index;
    while (!this.stopped && this.running < PARALLEL_FRAMES && this.one()) {
      // Starts as many as may run at once.
    }
  }

  retryFailed(): void {
    for (const index of this.problems.keys()) this.states[index] = 'none';
    this.problems.clear();
    this.around(this.centre);
  }

  stop(): void {
    this.stopped = true;
  }

  private one(): boolean {
    for (const index of outwards(this.centre, this.imageIds.length)) {
      if (this.states[index] !== 'none' || this.pending.has(index)) continue;
      this.running++;
      void this.fetch(index, Enums.RequestType.Prefetch)
        .catch(() => undefined)
        .finally(() => {
          this.running--;
          this.around(this.centre);
        });
      return true;
    }
    return false;
  }

  private fetch(index: number, requestType: Enums.RequestType): Promise<Types.IImage> {
    const waiting = this.pending.get(index);
    if (waiting && requestType === Enums.RequestType.Prefetch) return waiting;
    const fetched = this.repeat(index, requestType).then(
      (image) => {
        this.settle(index, 'loaded');
        return image;
      },
      (error: unknown) => {
        const problem = problemOf(error);
        this.problems.set(index, problem);
        this.settle(index, 'failed');
        throw problem;
      },
    );
    this.pending.set(index, fetched);
    return fetched;
  }

  private settle(index: number, state: FrameState): void {
    this.pending.delete(index);
    if (state === 'loaded') this.problems.delete(index);
    this.states[index] = state;
    if (!this.stopped) this.onProgress(index);
  }

  private async repeat(index: number, requestType: Enums.RequestType): Promise<Types.IImage> {
    const imageId = this.imageIds[index]!;
    for (let attempt = 0; ; attempt++) {
      try {
        return await load(imageId, requestType);
      } catch (error) {
        const pause = PAUSES_MS[attempt];
        if (pause === undefined || this.stopped || !isWorthRepeating(problemOf(error))) throw error;
        await new Promise((resume) => setTimeout(resume, pause));
      }
    }
  }
}
