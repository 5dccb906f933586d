/** Reading the DICOM JSON model (PS3.18 Annex F): elements by tag, without the envelope. */
export interface Element {
  vr: string;
  Value?: unknown[];
  BulkDataURI?: string;
}
export type DataSet = Record<string, Element>;

export function values(set: DataSet | undefined, tag: string): unknown[] {
  return set?.[tag]?.Value ?? [];
}

export function text(set: DataSet | undefined, tag: string): string {
  const value = values(set, tag)[0];
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return String((value as { Alphabetic?: string }).Alphabetic ?? '');
  return String(value).trim();
}

/** The numbers of an element; a server may write DS and IS as strings. */
export function numbers(set: DataSet | undefined, tag: string): number[] {
  return values(set, tag).map(Number).filter(Number.isFinite);
}

export function number(set: DataSet | undefined, tag: string): number | undefined {
  return numbers(set, tag)[0];
}

export function items(set: DataSet | undefined, tag: string): DataSet[] {
  return values(set, tag).filter((value): value is DataSet => typeof value === 'object' && value !== null);
}
