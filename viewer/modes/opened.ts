/** A series that was opened in an area: what is kept of it while another is shown, and how it looks at first. */
import type { ImageInfo } from '../core/images';
import { middle } from '../core/order';
import { isInverted, SUV_WINDOW, windowOfPixels, type Window } from '../core/windows';
import { SeriesLoader } from '../imaging/loading';
import { pixelsOf, type Loaded } from '../imaging/stack';
import type { MarkGeometry } from '../api/marks';
import { indexIn, type Described } from './catalogue';

export interface Opened extends Described {
  loader: SeriesLoader;
  index: number;
  window: Window | null;
  fileWindow: Window | null;
  preset: string | null;
  inverted: boolean;
}

/** At the image of a mark, else in the middle. */
export function opening(described: Described, at?: MarkGeometry): Opened {
  const marked = at ? indexIn(described.images, at) : -1;
  return {
    ...described,
    loader: new SeriesLoader(described.imageIds, () => undefined),
    index: marked < 0 ? middle(described.images.length) : marked,
    window: null,
    fileWindow: null,
    preset: null,
    inverted: isInverted(described.info.modality),
  };
}

/** MONOCHROME1 is drawn inverted to look right, and upright when the reader inverts it. */
export const isDrawnInverted = (opened: Opened): boolean => opened.inverted !== opened.images[opened.index]!.isLowBright;

function windowFor(modality: string, image: ImageInfo, loaded: Loaded): Window {
  if (image.isColour) return { center: 128, width: 256 };
  // PET in SUV has a window that everyone knows; other PET starts at zero, whatever the file proposes.
  if (modality === 'PT') return image.units === 'GML' ? SUV_WINDOW : windowOfPixels(pixelsOf(loaded), 'PT');
  return image.window ?? windowOfPixels(pixelsOf(loaded), modality);
}

/** The first window of a series, once. */
export function firstLook(opened: Opened, loaded: Loaded): void {
  if (opened.window) return;
  opened.fileWindow = windowFor(opened.info.modality, opened.images[opened.index]!, loaded);
  opened.window = opened.fileWindow;
  opened.preset = '1';
}
