/** The list of series: what each is, how many images, how far it is loaded. */
import type { SeriesInfo } from '../core/images';
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

  constructor(private readonly open: (seriesUid: string) => void) {}

  fill(series: readonly SeriesInfo[], isImage: (series: SeriesInfo) => boolean): void {
    this.cards.clear();
    const list = make('ul', {});
    for (const each of series) {
      const canShow = isImage(each);
      const picture = make('span', { class: 'picture' });
      const count = make('span', { class: 'count' }, canShow ? String(each.instances || '') : 'not shown');
      const bar = make('span', { class: 'loaded' });
      const name = each.description || (each.number === undefined ? 'Series' : `Series ${each.number}`);
      const button = make(
        'button',
        { type: 'button', title: name, disabled: !canShow },
        picture,
        make('span', { class: 'words' }, make('span', { class: 'name' }, name), make('span', { class: 'what' }, make('span', { class: 'modality' }, each.modality), ' ', count)),
        bar,
      );
      if (!canShow) picture.append(icon('photoOff'));
      button.addEventListener('click', () => this.open(each.seriesUid));
      this.cards.set(each.seriesUid, { button, picture, count, bar });
      list.append(make('li', {}, button));
    }
    this.element.replaceChildren(list);
  }

  current(seriesUid: string): void {
    for (const [uid, card] of this.cards) {
      if (uid === seriesUid) card.button.setAttribute('aria-current', 'true');
      else card.button.removeAttribute('aria-current');
    }
    this.cards.get(seriesUid)?.button.scrollIntoView({ block: 'nearest' });
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
