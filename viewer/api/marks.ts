/** The marks of a grant: read them, save one, strike one out. The server computes the values. */
import type { Point2, Point3 } from '../core/geometry';
import type { MeasureKind } from '../core/store';

export interface MarkGeometry {
  kind: MeasureKind;
  series_uid: string;
  instance_uid: string;
  frame: number;
  frame_of_reference_uid: string;
  points: Point3[];
  image_points: Point2[];
  label: string;
}

export interface Measured extends MarkGeometry {
  mark_id: string;
  value: string;
  /** The short diameter, where there are two. */
  short_value?: string | null;
  unit: string;
}

/** Marks of others under a name, to be looked at only. */
export interface Layer {
  name: string;
  marks: Measured[];
}

export interface Mark extends Measured {
  revision: number;
  saved_at: string;
  /** True for a revision that only says that the mark is gone. */
  struck_out?: boolean;
  is_struck?: boolean;
}

/** "12.50 mm", or "40.00 × 20.00 mm". */
export const valueOf = ({ value, short_value: short, unit }: Measured): string => `${value}${short ? ` × ${short}` : ''} ${unit}`;

export const isStruckOut = (mark: Mark): boolean => Boolean(mark.struck_out || mark.is_struck);

export type SaveAnswer =
  | { kind: 'saved'; mark: Mark | null }
  /** Someone else's revision is newer. */
  | { kind: 'stale'; mark: Mark | null; message: string }
  /** Asking again would give the same answer. */
  | { kind: 'refused'; message: string }
  /** Try again later: no connection, server busy. */
  | { kind: 'later'; message: string };

const TIMEOUT_MS = 20_000;

function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  return meta ?? /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? '';
}

interface AnswerBody {
  message?: string;
  mark?: Mark;
}

export class MarksApi {
  readonly root: string;

  constructor(root: string) {
    this.root = new URL(root, document.baseURI).href.replace(/\/$/, '');
  }

  /** Raises a TypeError without connection, an Error with the status otherwise. */
  async list(signal: AbortSignal): Promise<{ marks: Mark[]; layers: Layer[] }> {
    const answer = await fetch(this.root, { headers: { Accept: 'application/json' }, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const body = (await answer.json()) as { marks: Mark[]; layers?: Layer[] };
    return { marks: body.marks.filter((mark) => !isStruckOut(mark)), layers: body.layers ?? [] };
  }

  put(markId: string, opId: string, baseRevision: number, geometry: MarkGeometry): Promise<SaveAnswer> {
    return this.send('PUT', markId, { op_id: opId, base_revision: baseRevision, ...geometry });
  }

  strikeOut(markId: string, opId: string, baseRevision: number): Promise<SaveAnswer> {
    return this.send('DELETE', markId, { op_id: opId, base_revision: baseRevision });
  }

  private async send(method: string, markId: string, body: object): Promise<SaveAnswer> {
    let answer: Response;
    try {
      answer = await fetch(`${this.root}/${markId}`, {
        method,
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': csrfToken() },
        body: JSON.stringify(body),
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      return { kind: 'later', message: 'The server cannot be reached.' };
    }
    const said: AnswerBody & Partial<Mark> = await answer.json().catch(() => ({}));
    if (answer.ok) return { kind: 'saved', mark: said.mark_id ? (said as Mark) : null };
    if (answer.status === 409) return { kind: 'stale', mark: said.mark ?? null, message: said.message ?? 'This mark was changed elsewhere.' };
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
      return { kind: 'later', message: said.message ?? `The server answered with an error (${answer.status}).` };
    }
    if (answer.status === 401) return { kind: 'later', message: 'Your session has ended. Sign in again in another tab.' };
    return { kind: 'refused', message: said.message ?? `The server refused this mark (${answer.status}).` };
  }
}
