/** A small picture of an image, drawn from its pixels without the graphics card. */
import type { Types } from '@cornerstonejs/core';
import { toRange, type Window } from '../core/windows';

export function thumbnail(image: Types.IImage, window: Window, inverted: boolean, size: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d')!;
  const picture = context.createImageData(size, size);
  const values = (image.voxelManager?.getScalarData() ?? image.getPixelData()) as ArrayLike<number>;
  const samples = image.color ? values.length / (image.rows * image.columns) : 1;
  const { lower, upper } = toRange(window);
  const height = image.rows * (image.rowPixelSpacing || 1);
  const width = image.columns * (image.columnPixelSpacing || 1);
  const scale = Math.max(height, width) / size;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const row = Math.floor((((y + 0.5 - size / 2) * scale + height / 2) / height) * image.rows);
      const column = Math.floor((((x + 0.5 - size / 2) * scale + width / 2) / width) * image.columns);
      const at = (y * size + x) * 4;
      picture.data[at + 3] = 255;
      if (row < 0 || row >= image.rows || column < 0 || column >= image.columns) continue;
      for (let part = 0; part < 3; part++) {
        const value = values[(row * image.columns + column) * samples + (samples >= 3 ? part : 0)]!;
        const grey = image.color ? value : Math.min(255, Math.max(0, ((value - lower) / (upper - lower)) * 255));
        picture.data[at + part] = inverted ? 255 - grey : grey;
      }
    }
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}
