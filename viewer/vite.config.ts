/** Five entries, hashed names, straight into the platform's static files. */
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { assets } from './bundling/assets.ts';
import { icons } from './bundling/icons.ts';
import { jpeg12 } from './bundling/jpeg12.ts';
import { lean } from './bundling/lean.ts';
import { strictPolicy } from './bundling/strict-policy.ts';

const nothing = resolve(import.meta.dirname, 'bundling/nothing.ts');

// htmx holds one direct eval; it is unreachable, because `allowEval` is off and the policy forbids it.
const quiet = { eval: false, pluginTimings: false, bundlerTimings: false } as Record<string, boolean>;

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses: the bundle works below any static prefix.
  base: './',
  publicDir: false,
  plugins: [lean(), jpeg12(), icons(), strictPolicy(), assets()],
  worker: { format: 'es', plugins: () => [jpeg12()], rolldownOptions: { checks: quiet } },
  resolve: {
    alias: {
      // The package's export map hides its drawings.
      'tabler-outline': resolve(import.meta.dirname, 'node_modules/@tabler/icons/icons/outline'),
      // The codecs' glue asks for these only under Node.
      fs: nothing,
      path: nothing,
      // So does Pyodide's.
      ...Object.fromEntries(['fs/promises', 'fs', 'path', 'url', 'vm', 'crypto', 'child_process'].map((name) => [`node:${name}`, nothing])),
      ws: nothing,
    },
  },
  css: {
    preprocessorOptions: { scss: { loadPaths: [resolve(import.meta.dirname, 'node_modules')], quietDeps: true } },
  },
  build: {
    target: 'es2022',
    outDir: resolve(import.meta.dirname, '../packages/platform/collegium/web/static/built'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    // Only the fonts' own files: nothing is inlined but the icons.
    assetsInlineLimit: 0,
    assetsDir: '',
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      checks: quiet,
      input: {
        theme: resolve(import.meta.dirname, 'shell/theme.ts'),
        shell: resolve(import.meta.dirname, 'shell/shell.ts'),
        viewer: resolve(import.meta.dirname, 'element.ts'),
        reading: resolve(import.meta.dirname, 'reading/reading.ts'),
        deid: resolve(import.meta.dirname, 'deid/deid.ts'),
      },
      output: {
        entryFileNames: '[name]-[hash].js',
        chunkFileNames: '[name]-[hash].js',
        assetFileNames: '[name]-[hash][extname]',
      },
    },
  },
});
