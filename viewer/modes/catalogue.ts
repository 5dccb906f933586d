/** Everything there is to show: series by timepoint, and the images of those that were asked for, once for all areas. */
import type { DicomWeb } from '../api/dicomweb';
import type { MarkGeometry } from '../api/marks';
import type { Plane } from '../core/geometry';
import { imagesOfSeries, type ImageInfo, type SeriesInfo } from '../core/images';
import { ViewerProblem } from '../core/problems';
import { timepointsOf, type Timepoint } from '../core/timepoints';
import { forgetImages } from '../imaging/engine';
import { planeOf, Stack } from '../imaging/stack';

export interface Described {
  info: SeriesInfo;
  images: ImageInfo[];
  imageIds: string[];
}

export class Catalogue {
  series: SeriesInfo[] = [];
  timepoints: Timepoint[] = [];
  private readonly described = new Map<string, Described>();
  private readonly asked = new Map<string, Promise<Described>>();

  constructor(
    private readonly dicomweb: DicomWeb,
    private readonly signal: AbortSignal,
  ) {}

  take(series: SeriesInfo[]): void {
    this.series = series;
    this.timepoints = timepointsOf(series);
  }

  find(seriesUid: string): SeriesInfo | undefined {
    return this.series.find((each) => each.seriesUid === seriesUid);
  }

  /** Metadata and order of a series, asked for once. */
  describe(info: SeriesInfo): Promise<Described> {
    const known = this.asked.get(info.seriesUid);
    if (known) return known;
    const asked = this.ask(info);
    this.asked.set(info.seriesUid, asked);
    asked.catch(() => this.asked.delete(info.seriesUid));
    return asked;
  }

  private async ask(info: SeriesInfo): Promise<Described> {
    const metadata = await this.dicomweb.metadata(info, this.signal);
    const images = imagesOfSeries(metadata);
    if (images.length === 0) throw new ViewerProblem('empty', 'This series holds no images that can be shown here.', 'No images', false);
    const imageIds = images.map((image) => `wadors:${this.dicomweb.frameUrl(info, image.instanceUid, image.frame)}`);
    images.forEach((image, index) => Stack.describe(imageIds[index]!, image.metadata));
    const described = { info, images, imageIds };
    this.described.set(info.seriesUid, described);
    return described;
  }

  /** Where an image that was described belongs. */
  imageOf(imageId: string): { image: ImageInfo; plane: Plane; info: SeriesInfo } | null {
    for (const { info, images, imageIds } of this.described.values()) {
      const image = images[imageIds.indexOf(imageId)];
      if (image) return { image, plane: image.plane ?? planeOf(imageId), info };
    }
    return null;
  }

  imageIdOf(geometry: MarkGeometry): string | null {
    const described = this.described.get(geometry.series_uid);
    return described?.imageIds[indexIn(described.images, geometry)] ?? null;
  }

  timepointOf(seriesUid: string): number {
    const studyUid = this.find(seriesUid)?.studyUid;
    return this.timepoints.findIndex((timepoint) => timepoint.studyUid === studyUid);
  }

  /** "Timepoint 1, image 12", or "CT image 12" where there is one exam, as far as it is known. */
  placeOf(geometry: MarkGeometry): string {
    const timepoint = this.timepoints.length > 1 ? this.timepoints[this.timepointOf(geometry.series_uid)]?.name : undefined;
    const described = this.described.get(geometry.series_uid);
    const index = described ? indexIn(described.images, geometry) : -1;
    if (index < 0) return timepoint ?? '';
    return timepoint ? `${timepoint}, image ${index + 1}` : `${described!.info.modality} image ${index + 1}`;
  }

  forget(): void {
    for (const { imageIds } of this.described.values()) forgetImages(imageIds);
    this.described.clear();
    this.asked.clear();
  }
}

export const indexIn = (images: readonly ImageInfo[], geometry: MarkGeometry): number =>
  images.findIndex((image) => image.instanceUid === geometry.instance_uid && image.frame === geometry.frame);
