/** The words on the image: whose it is, which image, how it is shown, where left and right are. */
import type { ImageInfo, SeriesInfo } from '../core/images';
import type { AreaState } from '../core/store';
import { make } from './dom';

export interface OverlayFacts {
  label: string;
  series: SeriesInfo | null;
  image: ImageInfo | null;
  state: AreaState;
  presetName: string;
  /** Screen pixels for one image pixel. */
  scale: number;
  isLossy: boolean;
}

const short = (value: number): string => (Math.abs(value) < 10 && !Number.isInteger(value) ? value.toFixed(2) : String(Math.round(value)));

export class Overlay {
  readonly element = make('div', { class: 'overlay' });
  private readonly label = make('div', { class: 'label' });
  private readonly series = make('div', {});
  private readonly kind = make('div', { class: 'quiet' });
  private readonly lossy = make('div', { class: 'lossy', hidden: true });
  private readonly slice = make('div', { class: 'slice' });
  private readonly place = make('div', { class: 'quiet' });
  private readonly window = make('div', {});
  private readonly zoom = make('div', { class: 'quiet' });
  private readonly letters = {
    left: make('div', { class: 'letter left' }),
    right: make('div', { class: 'letter right' }),
    top: make('div', { class: 'letter top' }),
    bottom: make('div', { class: 'letter bottom' }),
  };

  constructor() {
    this.element.append(
      make('div', { class: 'corner top-left' }, this.label, this.series, this.kind),
      make('div', { class: 'corner top-right' }, this.lossy),
      make('div', { class: 'corner bottom-left' }, this.window, this.zoom),
      make('div', { class: 'corner bottom-right' }, this.slice, this.place),
      make('div', { class: 'caution' }, 'Not for primary diagnosis'),
      ...Object.values(this.letters),
    );
  }

  show({ label, series, image, state, presetName, scale, isLossy }: OverlayFacts): void {
    this.label.textContent = label;
    this.series.textContent = series ? series.description || (series.number === undefined ? '' : `Series ${series.number}`) : '';
    this.kind.textContent = series?.modality ?? '';
    this.lossy.hidden = !isLossy;
    this.lossy.textContent = image?.lossyRatio ? `Lossy ${short(image.lossyRatio)}:1` : 'Lossy compression';
    this.slice.textContent = state.count ? `Image ${state.index + 1} / ${state.count}` : '';
    const parts = [
      image?.thickness ? `${short(image.thickness)} mm` : '',
      image ? `${image.columns} × ${image.rows}` : '',
    ];
    this.place.textContent = parts.filter(Boolean).join('   ');
    this.window.textContent = state.window ? `W ${short(state.window.width)}  L ${short(state.window.center)}${presetName ? `   ${presetName}` : ''}` : '';
    this.zoom.textContent = image ? `Zoom ${scale.toFixed(2)}×${state.inverted ? '   Inverted' : ''}` : '';
  }

  edges(found: { left: string; right: string; top: string; bottom: string } | null): void {
    for (const [side, element] of Object.entries(this.letters)) {
      element.textContent = found ? found[side as keyof typeof found] : '';
    }
  }
}
