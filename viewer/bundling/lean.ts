/**
 * Leaves out of the bundle what Cornerstone's dependencies import but this viewer never runs: vtk's WebGPU renderer (WebGL
 * is registered beside it) and readers of mesh files. Less to download, and a third less to parse before the first image.
 */
import type { Plugin } from 'vite';

const EMPTY = '\0collegium-empty';
const READER = '\0collegium-reader';
const WEBGPU = /\/WebGPU\/Profiles\/\w+\.js$/;
const READERS = /@kitware\/vtk\.js\/IO\/(XML|Geometry)\/\w+Reader\.js$/;

export function lean(): Plugin {
  return {
    name: 'collegium-lean',
    enforce: 'pre',
    resolveId(id) {
      if (WEBGPU.test(id)) return EMPTY;
      if (READERS.test(id)) return READER;
      return undefined;
    },
    load(id) {
      if (id === EMPTY) return { code: 'export {};', moduleSideEffects: false };
      if (id === READER) return "export default { newInstance() { throw new Error('Mesh files are not read by this viewer.'); } };";
      return undefined;
    },
  };
}
