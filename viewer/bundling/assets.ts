/**
 * Writes `assets.json`: a flat list from the name a template asks for to the hashed file.
 *
 * `{"shell.css": "shell-4f1c.css", "shell.js": …, "theme.js": …, "viewer.js": …, "viewer.css": …}`. `session.js` is the heavy part that
 * the viewer imports; a page that will need it names it in a link, so that it comes early. Vite's own
 * `manifest.json` stays beside it for those who need the imports of an entry.
 */
import type { Plugin } from 'vite';

export function assets(): Plugin {
  return {
    name: 'collegium-assets',
    generateBundle(_options, bundle) {
      const list: Record<string, string> = {};
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk' || (!chunk.isEntry && chunk.name !== 'session')) continue;
        list[`${chunk.name}.js`] = chunk.fileName;
        const styles = chunk.viteMetadata?.importedCss ?? new Set<string>();
        for (const file of styles) list[`${chunk.name}.css`] = file;
      }
      const sorted = Object.fromEntries(Object.entries(list).sort(([a], [b]) => a.localeCompare(b)));
      this.emitFile({ type: 'asset', fileName: 'assets.json', source: JSON.stringify(sorted, null, 1) + '\n' });
    },
  };
}
