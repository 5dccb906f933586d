/** Give the cleaned files out: as one zip, or into a folder. Names come from new UIDs; boxes are applied on the way. */
import { coversOf } from './boxes';
import type { Group, Item } from './items';
import type { Cover, Recipe } from './messages';
import type { Pool } from './pool';
import { reportOf } from './report';
import { zipOf, type Entry } from './zip';

interface Out {
  path: string;
  parts: Blob[];
}

export type Progress = (done: number, all: number) => void;

/** The browser's own way to a folder, where it has one. */
interface Folder {
  getDirectoryHandle: (name: string, options: { create: true }) => Promise<Folder>;
  getFileHandle: (name: string, options: { create: true }) => Promise<{ createWritable: () => Promise<WritableStream> }>;
}
declare global {
  interface Window {
    showDirectoryPicker?: (options: { mode: 'readwrite' }) => Promise<Folder>;
  }
}

export const canSaveIntoFolders = (): boolean => typeof window.showDirectoryPicker === 'function';

export async function zipped(pool: Pool, groups: Group[], recipe: Recipe, progress: Progress): Promise<Blob> {
  const entries: Entry[] = [];
  let done = 0;
  const jobs = groups.flatMap((group) => group.items.map((item) => ({ group, item })));
  await pool.run(jobs, null, async ({ group, item }, ask) => {
    const out = await made(group, item, ask);
    entries.push({ ...out, crc: await ask<number>({ ask: 'crc', parts: out.parts }) });
    progress((done += 1), jobs.length);
  }, () => false);
  for (const report of reports(groups, recipe)) entries.push({ ...report, crc: await pool.ask<number>({ ask: 'crc', parts: report.parts }) });
  return zipOf(entries.sort((one, other) => (one.path < other.path ? -1 : 1)));
}

export async function intoFolder(pool: Pool, groups: Group[], recipe: Recipe, progress: Progress): Promise<void> {
  const folder = await window.showDirectoryPicker!({ mode: 'readwrite' });
  let done = 0;
  const jobs = groups.flatMap((group) => group.items.map((item) => ({ group, item })));
  await pool.run(jobs, null, async ({ group, item }, ask) => {
    await write(folder, await made(group, item, ask));
    progress((done += 1), jobs.length);
  }, () => false);
  for (const report of reports(groups, recipe)) await write(folder, report);
}

async function made(group: Group, item: Item, ask: <T>(ask: { ask: 'cover' } & Cover) => Promise<T>): Promise<Out> {
  const { told } = item;
  const boxes = group.state === 'look' ? coversOf(group, told.instance) : [];
  const pixels = boxes.length ? await ask<Blob>({ ask: 'cover', pixels: item.pixels, picture: told.picture!, boxes, fill: group.fill }) : item.pixels;
  return { path: `${told.study}/${told.series}/${told.instance}.dcm`, parts: [item.head, pixels] };
}

function reports(groups: Group[], recipe: Recipe): Out[] {
  const studies = new Set(groups.flatMap((group) => group.items.map((item) => item.told.study)));
  return [...studies].map((study) => ({ path: `${study}/report.json`, parts: [new Blob([reportOf(study, groups, recipe)])] }));
}

async function write(folder: Folder, { path, parts }: Out): Promise<void> {
  const names = path.split('/');
  let place = folder;
  for (const name of names.slice(0, -1)) place = await place.getDirectoryHandle(name, { create: true });
  const file = await place.getFileHandle(names.at(-1)!, { create: true });
  await new Blob(parts).stream().pipeTo(await file.createWritable());
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it over by then; an address that is never given back would keep the files.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
