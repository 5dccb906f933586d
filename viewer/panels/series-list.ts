/** The list of series: what each is, how many images, how far it is loaded. */
import { isImageModality, type SeriesInfo } from '../core/images';
import type { Timepoint } from '../core/timepoints';
import { make } from './dom';
import { icon } from './icons';

interface Card {
  button: HTMLButtonElement;
  picture: HTMLElement;
  count: HTMLElement;
  bar: HTMLElement;
}

export class SeriesList {
  readonly element = make('nav', { class: 'series', 'aria-label': 'Series' });
  private readonly cards = new Map<string, Card>();
  private last = '';

  constructor(private readonly open: (seriesUid: string) => void) {}

  /** Series by timepoint; what cannot be shown stands last. */
  fill({ series, timepoints }: { series: readonly SeriesInfo[]; timepoints: readonly Timepoint[] }): void {
    this.cards.clear();
    this.element.replaceChildren();
    for (const { studyUid, name } of timepoints) {
      const own = series.filter((each) => each.studyUid === studyUid);
      own.sort((a, b) => Number(isImageModality(b.modality)) - Number(isImageModality(a.modality)));
      if (timepoints.length > 1) this.element.append(make('h2', {}, name));
      this.element.append(make('ul', {}, ...own.map((each) => make('li', {}, this.card(each)))));
    }
  }

  private card(series: SeriesInfo): HTMLElement {
    const canShow = isImageModality(series.modality);
    const picture = make('span', { class: 'picture' });
    const count = make('span', { class: 'count' }, canShow ? String(series.instances || '') : 'not shown');
    const bar = make('span', { class: 'loaded' });
    const name = series.description || (series.number === undefined ? 'Series' : `Series ${series.number}`);
    const button = make(
      'button',
      { type: 'button', title: name, disabled: !canShow },
      picture,
      make('span', { class: 'words' }, make('span', { class: 'name' }, name), make('span', { class: 'what' }, make('span', { class: 'modality' }, series.modality), ' ', count)),
      bar,
    );
    if (!canShow) picture.append(icon('photoOff'));
    button.addEventListener('click', () => this.open(series.seriesUid));
    this.cards.set(series.seriesUid, { button, picture, count, bar });
    return button;
  }

  /** The series of the active area, and those of the others. */
  current(seriesUid: string, shown: readonly string[]): void {
    for (const [uid, card] of this.cards) {
      if (uid === seriesUid) card.button.setAttribute('aria-current', 'true');
      else card.button.removeAttribute('aria-current');
      card.button.classList.toggle('is-shown', shown.includes(uid));
    }
    if (seriesUid !== this.last) this.cards.get(seriesUid)?.button.scrollIntoView({ block: 'nearest' });
    this.last = seriesUid;
  }

  progress(seriesUid: string, loaded: number, total: number): void {
    const card = this.cards.get(seriesUid);
    if (!card) return;
    card.count.textContent = total === 1 ? '1 image' : `${total} images`;
    card.bar.style.setProperty('--share', total ? String(loaded / total) : '0');
  }

  picture(seriesUid: string, canvas: HTMLCanvasElement): void {
    canvas.setAttribute('aria-hidden', 'true');
    this.cards.get(seriesUid)?.picture.replaceChildren(canvas);
  }
}
