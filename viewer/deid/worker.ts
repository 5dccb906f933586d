/**
 * Python in a worker: the same `collegium_deid` as on the command line, loaded from our own server.
 *
 * A file is never read whole. Python asks for its first bytes and answers with a new header; the pixels stay in the file.
 */
import { loadPyodide } from 'pyodide';
import type { PyProxy } from 'pyodide/ffi';
import { info } from 'pyodide/pyodide-lock.json';
import { cover } from './cover';
import { crc32 } from './crc32';
import { elementOf, packed, placeOfFrame, unpacked } from './frames';
import type { Answer, Ask, Cleaned, Cover, Recipe, Setting } from './messages';

/** Only workers have it, and the page's types do not know it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const RUNTIME = new URL('pyodide/pyodide.asm.mjs', import.meta.url).href;
const MACHINE = new URL('pyodide/pyodide.asm.wasm', import.meta.url).href;
const LIBRARY = new URL('pyodide/python_stdlib.zip', import.meta.url).href;
const READ_AT_ONCE = 4 * 1024 * 1024;

// Python gets bytes and gives bytes; what the bridge does not know is how they cross.
const GLUE = `
import sys
sys.path.insert(0, "/python.zip")
import bridge
def clean(session, read, size):
    return session.clean(lambda start, end: read(start, end).to_bytes(), size)
`;

interface Python {
  bridge: PyProxy & {
    Session: (...setting: string[]) => PyProxy;
    recipes: () => string;
    new_key: () => string;
    refusal_of_key: (text: string) => string;
  };
  clean: (session: PyProxy, read: (start: number, end: number) => Uint8Array, size: number) => PyProxy;
}
type Output = [string, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];

const reader = new FileReaderSync();
let python: Python;
let session: PyProxy | null = null;

function bytesOf(file: Blob, start: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(reader.readAsArrayBuffer(file.slice(start, end)));
}

async function start(address: string): Promise<Recipe[]> {
  // All are fetched at once: the machine as soon as it is asked for, this module and our own code beside it.
  const packed = fetch(address).then((answer) => answer.arrayBuffer());
  const runtime = import(/* @vite-ignore */ RUNTIME) as Promise<{ default: (settings: object) => Promise<never> }>;
  const pyodide = await loadPyodide({
    // The machine is fetched from this address with "pyodide.asm.wasm" behind it: as a query it changes nothing.
    indexURL: `${MACHINE}?/`,
    stdLibURL: LIBRARY,
    createPyodideModule: async (settings: object) => (await runtime).default(settings),
    // Without packages there is nothing that could be fetched from elsewhere.
    lockFileContents: { info: info as never, packages: {} },
    packageBaseUrl: new URL('.', MACHINE).href,
  });
  pyodide.FS.writeFile('/python.zip', new Uint8Array(await packed));
  const names = pyodide.toPy({});
  pyodide.runPython(GLUE, { globals: names });
  python = { bridge: names.get('bridge'), clean: names.get('clean') };
  return JSON.parse(python.bridge.recipes()) as Recipe[];
}

function set({ recipe, key, subject, table }: Setting): void {
  session?.destroy();
  session = python.bridge.Session(recipe, key, subject, table);
}

function clean(file: Blob): Cleaned {
  if (!session) throw new Error('Nothing is set yet.');
  const answer = python.clean(session, (from, to) => bytesOf(file, from, to), file.size);
  const [told, head, pixels] = answer.toJs() as Output;
  answer.destroy();
  return { told: JSON.parse(told), head, pixels };
}

function crcOf(parts: Blob[]): number {
  let crc = 0;
  for (const part of parts) {
    for (let at = 0; at < part.size; at += READ_AT_ONCE) crc = crc32(bytesOf(part, at, at + READ_AT_ONCE), crc);
  }
  return crc;
}

/** Frame by frame: no more than one is in memory. */
function covered({ pixels, picture, boxes, fill }: Cover): Blob {
  const frames: Blob[] = [];
  for (let frame = 0; frame < picture.frames; frame += 1) {
    const values = unpacked(bytesOf(pixels, ...placeOfFrame(picture, frame)), picture);
    cover(values, picture, boxes, fill);
    frames.push(new Blob([picture.packed ? packed(values, picture) : values]));
  }
  if (picture.packed) return elementOf(frames);
  const [, end] = placeOfFrame(picture, picture.frames - 1);
  return new Blob([pixels.slice(0, picture.at), ...frames, pixels.slice(end)]);
}

async function answer(ask: Ask): Promise<[unknown, Transferable[]]> {
  if (ask.ask === 'start') return [await start(ask.python), []];
  if (ask.ask === 'set') return [set(ask.setting), []];
  if (ask.ask === 'newKey') return [python.bridge.new_key(), []];
  if (ask.ask === 'checkKey') return [python.bridge.refusal_of_key(ask.text), []];
  if (ask.ask === 'crc') return [crcOf(ask.parts), []];
  if (ask.ask === 'cover') return [covered(ask), []];
  const cleaned = clean(ask.file);
  return [cleaned, [cleaned.head.buffer, cleaned.pixels.buffer]];
}

onmessage = async ({ data }: MessageEvent<Ask & { id: number }>) => {
  try {
    const [value, moved] = await answer(data);
    postMessage({ id: data.id, value } satisfies Answer, { transfer: moved });
  } catch (error) {
    // The last line of a traceback; those before it tell only where in our own code.
    const text = error instanceof Error ? error.message.trim().split('\n').at(-1)! : String(error);
    postMessage({ id: data.id, failure: text } satisfies Answer);
  }
};
