/** The three questions asked of the server before any frame: studies, series, metadata. PS3.18 10.4 and 10.6. */
import { number, text, type DataSet } from '../core/dicom-json';
import type { SeriesInfo } from '../core/images';
import { fromStatus, networkDown } from '../core/problems';
import { tags } from '../core/tags';

const TIMEOUT_MS = 30_000;

export class DicomWeb {
  /** Absolute address without a slash at its end: image ids are made from it. */
  readonly root: string;
  private readonly ahead = new Map<string, Promise<DataSet[]>>();

  constructor(
    root: string,
    private readonly study: string,
  ) {
    this.root = new URL(root, document.baseURI).href.replace(/\/$/, '');
  }

  private async ask(path: string, signal: AbortSignal): Promise<DataSet[]> {
    let answer: Response;
    try {
      answer = await fetch(`${this.root}/${path}`, {
        headers: { Accept: 'application/dicom+json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw networkDown();
    }
    if (answer.status === 204) return [];
    if (!answer.ok) throw fromStatus(answer.status);
    return (await answer.json()) as DataSet[];
  }

  /** Every series of every study below the root, or of the one asked for, in the order of their numbers. */
  async series(signal: AbortSignal): Promise<SeriesInfo[]> {
    const studies = await this.ask(this.study ? `studies?StudyInstanceUID=${this.study}` : 'studies', signal);
    const lists = await Promise.all(
      studies.map(async (study) => {
        const studyUid = text(study, tags.StudyInstanceUID);
        const found = await this.ask(`studies/${studyUid}/series`, signal);
        return found
          .map((series) => ({
            studyUid,
            seriesUid: text(series, tags.SeriesInstanceUID),
            modality: text(series, tags.Modality) || 'OT',
            description: text(series, tags.SeriesDescription),
            number: number(series, tags.SeriesNumber),
            instances: number(series, tags.NumberOfSeriesRelatedInstances) ?? 0,
            date: text(series, tags.SeriesDate) || text(study, tags.StudyDate),
          }))
          .sort((a, b) => (a.number ?? Infinity) - (b.number ?? Infinity) || a.seriesUid.localeCompare(b.seriesUid));
      }),
    );
    return lists.flat();
  }

  metadata(series: SeriesInfo, signal: AbortSignal): Promise<DataSet[]> {
    const ahead = this.ahead.get(series.seriesUid);
    this.ahead.delete(series.seriesUid);
    return ahead ?? this.ask(`studies/${series.studyUid}/series/${series.seriesUid}/metadata`, signal);
  }

  /** Ask for the metadata that will be wanted first while the rest of the viewer still loads. */
  askAhead(series: SeriesInfo, signal: AbortSignal): void {
    const asked = this.metadata(series, signal);
    asked.catch(() => undefined);
    this.ahead.set(series.seriesUid, asked);
  }

  frameUrl(series: SeriesInfo, instanceUid: string, frame: number): string {
    return `${this.root}/studies/${series.studyUid}/series/${series.seriesUid}/instances/${instanceUid}/frames/${frame}`;
  }
}
