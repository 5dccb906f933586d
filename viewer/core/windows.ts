/** Windows: the presets, and a sensible first window when the file has none. */
export interface Window {
  center: number;
  width: number;
}

export interface Preset {
  key: string;
  name: string;
  /** null: the window of the file, or found from the pixels. */
  window: Window | null;
}

export const CT_PRESETS: readonly Preset[] = [
  { key: '1', name: 'File', window: null },
  { key: '2', name: 'Soft tissue', window: { center: 40, width: 400 } },
  { key: '3', name: 'Lung', window: { center: -600, width: 1500 } },
  { key: '4', name: 'Bone', window: { center: 480, width: 2500 } },
  { key: '5', name: 'Brain', window: { center: 40, width: 80 } },
  { key: '6', name: 'Abdomen', window: { center: 60, width: 400 } },
];

export const OTHER_PRESETS: readonly Preset[] = [{ key: '1', name: 'Auto', window: null }];

export const presetsFor = (modality: string): readonly Preset[] => (modality === 'CT' ? CT_PRESETS : OTHER_PRESETS);

/** The value below which `share` of the sample lies; every n-th value is enough for a window. */
function quantiles(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(values.length / 20_000));
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += step) sample.push(values[i]!);
  sample.sort((a, b) => a - b);
  return shares.map((share) => sample[Math.min(sample.length - 1, Math.floor(share * sample.length))] ?? 0);
}

/** A first window from the pixels: nearly all values; PET starts at zero, where nothing is taken up. */
export function windowOfPixels(values: ArrayLike<number>, modality: string): Window {
  const [low = 0, high = 1] = quantiles(values, [0.005, modality === 'PT' ? 0.998 : 0.995]);
  const lower = modality === 'PT' ? 0 : low;
  const width = Math.max(high - lower, 1e-3);
  return { center: lower + width / 2, width };
}

/** PET in SUV (g/ml) has a window that everyone knows. */
export const SUV_WINDOW: Window = { center: 3.5, width: 7 };

export const isInverted = (modality: string): boolean => modality === 'PT' || modality === 'NM';

/** PS3.3 C.11.2.1.2.1, linear function: the values that become black and white. */
export function toRange({ center, width }: Window): { lower: number; upper: number } {
  return { lower: center - 0.5 - (width - 1) / 2, upper: center - 0.5 + (width - 1) / 2 };
}

export function fromRange({ lower, upper }: { lower: number; upper: number }): Window {
  const width = Math.abs(upper - lower) + 1;
  return { width, center: (lower + upper + 1) / 2 };
}
