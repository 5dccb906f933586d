/** Files that a person drops or chooses: folders at any depth, and what lies in zip files. */
import { entriesOf } from './unzip';

export interface Found {
  /** Where it was; shown on this screen, and nowhere else. */
  path: string;
  file: Blob;
}

/** What was dropped. Must be called within the drop's own event: the browser forgets the entries afterwards. */
export function dropped(transfer: DataTransfer): Promise<Found[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  // Programs other than the file manager drop files that have no entry.
  return entries.length ? gather(entries) : chosen(transfer.files);
}

/** What was chosen in a dialog of the browser. */
export async function chosen(list: FileList): Promise<Found[]> {
  const found: Found[] = [];
  for (const file of list) found.push(...(await opened(file, file.webkitRelativePath || file.name)));
  return found;
}

async function gather(entries: FileSystemEntry[]): Promise<Found[]> {
  const found: Found[] = [];
  const folders: FileSystemDirectoryEntry[] = [];
  const take = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isDirectory) folders.push(entry as FileSystemDirectoryEntry);
    else found.push(...(await opened(await fileOf(entry as FileSystemFileEntry), entry.fullPath.slice(1))));
  };
  for (const entry of entries) await take(entry);
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    for (const entry of await listed(folder)) await take(entry);
  }
  return found.sort((one, other) => one.path.localeCompare(other.path, undefined, { numeric: true }));
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => entry.file(resolve, reject));

async function listed(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader gives at most a hundred at a time, and nothing when it has given all.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

async function opened(file: File, path: string): Promise<Found[]> {
  const begin = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (String.fromCharCode(...begin) !== 'PK\u0003\u0004') return [{ path, file }];
  try {
    return (await entriesOf(file)).map((entry) => ({ path: `${path} / ${entry.path}`, file: entry.file }));
  } catch {
    // No zip that we can read: it stays one file, and will be refused as one.
    return [{ path, file }];
  }
}
