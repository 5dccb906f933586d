/** A series as the viewer needs it: its images in order, each with where it lies and how to fetch it. */
import { items, number, numbers, text, type DataSet } from './dicom-json';
import type { Plane, Point3 } from './geometry';
import { sortImages } from './order';
import { tags } from './tags';
import type { Window } from './windows';

export interface SeriesInfo {
  studyUid: string;
  seriesUid: string;
  modality: string;
  description: string;
  number: number | undefined;
  instances: number;
  date: string;
}

export interface ImageInfo {
  instanceUid: string;
  frame: number;
  instanceNumber: number;
  position: Point3 | null;
  orientation: [Point3, Point3] | null;
  /** null: no position or spacing in the file; lengths are then in pixels for the server to judge. */
  plane: Plane | null;
  frameOfReferenceUid: string;
  rows: number;
  columns: number;
  isColour: boolean;
  isLossy: boolean;
  lossyRatio: number | undefined;
  thickness: number | undefined;
  units: string;
  /** The file's first window. */
  window: Window | null;
  /** MONOCHROME1: low values are bright. */
  isLowBright: boolean;
  metadata: DataSet;
}

const NOT_IMAGES = new Set(['SR', 'SEG', 'RTSTRUCT', 'RTPLAN', 'RTRECORD', 'PR', 'KO', 'DOC', 'REG', 'AU', 'ECG', 'ANN', 'FID', 'PLAN']);

export const isImageModality = (modality: string): boolean => !NOT_IMAGES.has(modality);

function triple(found: number[], from = 0): Point3 | null {
  return found.length >= from + 3 ? [found[from]!, found[from + 1]!, found[from + 2]!] : null;
}

/** An attribute of a frame: in its own groups, then the shared ones, then the instance itself. */
function inGroups(set: DataSet, frame: number, sequence: string, tag: string): number[] {
  const own = items(items(set, tags.PerFrameFunctionalGroupsSequence)[frame - 1], sequence)[0];
  const shared = items(items(set, tags.SharedFunctionalGroupsSequence)[0], sequence)[0];
  for (const place of [own, shared, set]) {
    const found = numbers(place, tag);
    if (found.length) return found;
  }
  return [];
}

function imagesOf(set: DataSet): ImageInfo[] {
  const rows = number(set, tags.Rows) ?? 0;
  const columns = number(set, tags.Columns) ?? 0;
  if (!rows || !columns) return [];
  const frames = number(set, tags.NumberOfFrames) ?? 1;
  const images: ImageInfo[] = [];
  for (let frame = 1; frame <= frames; frame++) {
    const position = triple(inGroups(set, frame, tags.PlanePositionSequence, tags.ImagePositionPatient));
    const cosines = inGroups(set, frame, tags.PlaneOrientationSequence, tags.ImageOrientationPatient);
    const alongRow = triple(cosines);
    const alongColumn = triple(cosines, 3);
    const [between, along] = inGroups(set, frame, tags.PixelMeasuresSequence, tags.PixelSpacing);
    const center = inGroups(set, frame, tags.FrameVOILUTSequence, tags.WindowCenter)[0];
    const width = inGroups(set, frame, tags.FrameVOILUTSequence, tags.WindowWidth)[0];
    const orientation: [Point3, Point3] | null = alongRow && alongColumn ? [alongRow, alongColumn] : null;
    images.push({
      instanceUid: text(set, tags.SOPInstanceUID),
      frame,
      instanceNumber: (number(set, tags.InstanceNumber) ?? 0) + (frames > 1 ? frame / (frames + 1) : 0),
      position,
      orientation,
      plane: position && alongRow && alongColumn && between && along ? { position, alongRow, alongColumn, spacing: [between, along] } : null,
      frameOfReferenceUid: text(set, tags.FrameOfReferenceUID),
      rows,
      columns,
      isColour: (number(set, tags.SamplesPerPixel) ?? 1) > 1 || text(set, tags.PhotometricInterpretation) === 'PALETTE COLOR',
      isLossy: text(set, tags.LossyImageCompression) === '01',
      lossyRatio: number(set, tags.LossyImageCompressionRatio),
      thickness: number(set, tags.SliceThickness),
      units: text(set, tags.Units),
      window: center !== undefined && width ? { center, width } : null,
      isLowBright: text(set, tags.PhotometricInterpretation) === 'MONOCHROME1',
      metadata: set,
    });
  }
  return images;
}

export const imagesOfSeries = (metadata: readonly DataSet[]): ImageInfo[] => sortImages(metadata.flatMap(imagesOf));
