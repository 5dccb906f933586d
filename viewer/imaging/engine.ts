/**
 * Cornerstone3D, started once for the page and shared by every viewer on it.
 *
 * Only `imaging/` and `tools/` know this library. Nothing here is loaded before the element has found WebGL2.
 */
import { cache, Enums, getWebWorkerManager, imageLoadPoolManager, imageRetrievalPoolManager, init as initCore, RenderingEngine } from '@cornerstonejs/core';
import { init as initLoader, wadors } from '@cornerstonejs/dicom-image-loader';
import { init as initTools } from '@cornerstonejs/tools';

/** Frames asked for at the same time, beside the one on the screen; HTTP/1.1 browsers keep six connections. */
export const PARALLEL_FRAMES = 5;
const CACHE_BYTES = 1.5 * 2 ** 30;

export type Engine = RenderingEngine;

const inFlight = new Map<string, XMLHttpRequest>();
const engines = new Set<string>();
let started: Promise<void> | null = null;
let next = 1;

async function start(): Promise<void> {
  await initCore({ rendering: { webGlContextCount: 1 }, debug: {} });
  initLoader({
    maxWebWorkers: Math.min(4, Math.max(1, Math.floor((navigator.hardwareConcurrency || 2) / 2))),
    beforeSend: (xhr, imageId) => {
      inFlight.set(imageId, xhr);
      xhr.addEventListener('loadend', () => inFlight.delete(imageId));
      return {};
    },
  });
  await initTools();
  // The first decoder starts now, beside the making of the viewport.
  const workers = getWebWorkerManager();
  const { index } = workers.getNextWorkerAPI('dicomImageLoader');
  workers.workerRegistry['dicomImageLoader']!.loadCounters[index]! -= 1;
  cache.setMaxCacheSize(CACHE_BYTES);
  imageRetrievalPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Interaction, 4);
  imageRetrievalPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, PARALLEL_FRAMES);
  imageLoadPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Interaction, 4);
  imageLoadPoolManager.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, PARALLEL_FRAMES);
}

/** Codecs, workers and settings; images may be asked for from then on. */
export function startEngine(): Promise<void> {
  started ??= start();
  return started;
}

export async function newEngine(): Promise<Engine> {
  await startEngine();
  const id = `collegium-${next++}`;
  engines.add(id);
  return new RenderingEngine(id);
}

/** Forget these images: their requests, pixels and headers. */
export function forgetImages(imageIds: readonly string[]): void {
  for (const imageId of imageIds) {
    inFlight.get(imageId)?.abort();
    if (cache.getImageLoadObject(imageId)) {
      try {
        cache.removeImageLoadObject(imageId, { force: true });
      } catch {
        // Still arriving: the aborted request removes it.
      }
    }
    wadors.metaDataManager.remove(imageId);
  }
}

export function endEngine(engine: Engine): void {
  const { id } = engine;
  engine.destroy();
  engines.delete(id);
  // The workers stay: one ended in the middle of an image never answers, and its place in the library's pool is lost.
  if (engines.size === 0) cache.purgeCache();
}
