/** Several studies below one root are timepoints, in the server's order: the last one is the current one. */
import { isImageModality, type SeriesInfo } from './images';

export interface Timepoint {
  studyUid: string;
  name: string;
  /** Those that can be shown; a timepoint may have none. */
  series: SeriesInfo[];
}

export function timepointsOf(series: readonly SeriesInfo[]): Timepoint[] {
  const studies = [...new Set(series.map((each) => each.studyUid))];
  return studies.map((studyUid, index) => ({
    studyUid,
    name: `Timepoint ${index + 1}`,
    series: series.filter((each) => each.studyUid === studyUid && isImageModality(each.modality)),
  }));
}

/** The series that is shown first: of the last timepoint that has images. */
export const firstSeries = (series: readonly SeriesInfo[]): SeriesInfo | undefined =>
  timepointsOf(series).findLast((timepoint) => timepoint.series.length > 0)?.series[0];
