/** Marks of others, by layer: a switch for each, and a row for each mark that leads to it. */
import { valueOf, type Measured } from '../api/marks';
import type { ShownLayer } from '../core/layers';
import { make } from './dom';

export interface LayerListActions {
  show(markId: string): void;
  toggle(name: string, isShown: boolean): void;
}

export class LayerList {
  readonly element = make('section', { class: 'layers', 'aria-label': 'Marks to compare', hidden: true });
  private shown = '';

  constructor(private readonly actions: LayerListActions) {}

  fill(layers: readonly ShownLayer[], placeOf: (mark: Measured) => string, chosen: string | null): void {
    this.element.hidden = layers.length === 0;
    // Built again only when it would differ: a switch must not vanish under a finger that presses it.
    const look = JSON.stringify([layers.map((layer) => [layer, layer.marks.map(placeOf)]), chosen]);
    if (look === this.shown) return;
    this.shown = look;
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement?.getAttribute('data-layer');
    this.element.replaceChildren(...layers.map((layer) => this.section(layer, placeOf, chosen)));
    this.element.querySelector<HTMLElement>(`[data-layer="${CSS.escape(focused ?? '')}"]`)?.focus();
  }

  private section(layer: ShownLayer, placeOf: (mark: Measured) => string, chosen: string | null): HTMLElement {
    const box = make('input', { type: 'checkbox', 'data-layer': layer.name, checked: layer.isShown, 'aria-keyshortcuts': layer.key !== '' && `Shift+${layer.key}` });
    box.addEventListener('change', () => this.actions.toggle(layer.name, box.checked));
    const rows = layer.marks.map((mark) => {
      const name = mark.label && layer.sign ? `${mark.label} of ${layer.sign}` : mark.label;
      const value = [name, valueOf(mark)].filter(Boolean).join(' ');
      const go = make('button', { type: 'button', class: 'go', title: `Show ${value} on the image` }, make('span', { class: 'value' }, make('span', {}, name), ' ', make('span', {}, valueOf(mark))), make('span', { class: 'place' }, placeOf(mark)));
      if (mark.mark_id === chosen) go.setAttribute('aria-current', 'true');
      go.addEventListener('click', () => this.actions.show(mark.mark_id));
      return make('li', {}, go);
    });
    return make(
      'div',
      { class: `layer layer-${layer.place % 4}${layer.isShown ? '' : ' is-off'}` },
      make(
        'label',
        { title: layer.key ? `${layer.name} (Shift + ${layer.key})` : layer.name },
        box,
        make('span', { class: 'swatch', 'aria-hidden': 'true' }),
        make('span', { class: 'layer-name' }, layer.name),
        make('span', { class: 'count' }, String(layer.marks.length)),
        make('kbd', {}, layer.key ? `⇧ ${layer.key}` : ''),
      ),
      make('ul', {}, ...rows),
    );
  }
}
