/**
 * Turns the Tabler icons that the pages name into one small style sheet.
 *
 * `<i class="ti ti-home" aria-hidden="true"></i>` is all a template writes. An icon is a mask, so it
 * takes the colour of the text. Names come from `shell/icons.txt` and from every `ti-…` class found in the
 * platform's templates; an unknown name stops the build, because the page would show a blank square.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const MODULE = 'virtual:icons.css';
const RESOLVED = '\0' + MODULE;
const HERE = resolve(import.meta.dirname, '..');
const TEMPLATES = resolve(HERE, '../packages/platform/collegium');
/** Sizes and movement, not icons. */
const MODIFIERS = new Set(['sm', 'lg', 'turning']);
const DRAWINGS = resolve(HERE, 'node_modules/@tabler/icons/icons');

function namesInTemplates(): string[] {
  const found = new Set<string>();
  for (const entry of readdirSync(TEMPLATES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.html')) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const match of text.matchAll(/(?<![\w-])ti-([a-z0-9]+(?:-[a-z0-9]+)*)(?![\w{-])/g)) found.add(match[1]!);
  }
  return [...found];
}

function namesInList(): string[] {
  return readFileSync(join(HERE, 'shell/icons.txt'), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The drawing as a data URI; `filled` icons are named `name-filled`. */
function drawing(name: string): string {
  const filled = name.endsWith('-filled');
  const file = join(DRAWINGS, filled ? 'filled' : 'outline', (filled ? name.slice(0, -7) : name) + '.svg');
  let svg: string;
  try {
    svg = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`There is no Tabler icon "${name}" (looked for ${file}).`);
  }
  svg = svg
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/\s+class="[^"]*"/g, '')
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/g, '')
    .replaceAll('currentColor', '#000')
    .replace(/stroke-width="2"/, 'stroke-width="1.75"')
    .replace(/\s+/g, ' ')
    .replace(/> </g, '><')
    .trim();
  return `url("data:image/svg+xml,${svg.replace(/%/g, '%25').replace(/#/g, '%23').replace(/</g, '%3c').replace(/>/g, '%3e').replace(/"/g, "'")}")`;
}

export function icons(): Plugin {
  return {
    name: 'collegium-icons',
    resolveId: (id) => (id === MODULE ? RESOLVED : undefined),
    load(id) {
      if (id !== RESOLVED) return undefined;
      const names = [...new Set([...namesInList(), ...namesInTemplates()])].filter((name) => !MODIFIERS.has(name)).sort();
      return names.map((name) => `.ti-${name}{--ti:${drawing(name)}}`).join('\n');
    },
  };
}
