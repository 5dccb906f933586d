/** Items that are measured on the image: arm the tool, take over the mark, jump back to it. */
import type { Fields } from './fields';
import type { Queue } from './queue';
import type { SaveState } from './save-state';

interface Viewer extends HTMLElement {
  measure(itemId: string, label?: string, kind?: string): void;
  show(markId: string): Promise<void>;
}

interface MarkSaved {
  mark: { mark_id: string };
  itemId: string | null;
}

export class Measured {
  private readonly viewer: Viewer | null;
  private areMarksSaved = true;

  constructor(
    private readonly root: HTMLElement,
    private readonly fields: Fields,
  ) {
    this.viewer = root.querySelector<Viewer>('collegium-viewer');
  }

  /** Without a queue the read is closed: its marks can be looked at only. */
  listen(queue: Queue | null, state: SaveState | null = null): void {
    this.root.addEventListener('click', (event) => {
      const button = (event.target as Element).closest('[data-measure], [data-show]');
      const item = button?.closest<HTMLElement>('[data-item]');
      if (!button || !item) return;
      if (button.matches('[data-show]')) {
        const mark = item.querySelector<HTMLElement>('[data-mark]')?.dataset['mark'];
        if (mark) void this.viewer?.show(mark);
      } else if (queue) {
        this.viewer?.measure(item.dataset['item'] ?? '', item.dataset['label'] ?? '', item.dataset['kind'] ?? '');
      }
    });
    if (!queue) return;
    addEventListener('beforeunload', (event) => {
      if (this.areMarksSaved) return;
      event.preventDefault();
    });
    this.root.addEventListener('collegium:save-state', (event) => {
      const said = (event as CustomEvent<{ state: string }>).detail.state;
      this.areMarksSaved = said === 'saved';
      state?.marks(said);
    });
    this.root.addEventListener('collegium:mark-saved', (event) => {
      const { mark, itemId } = (event as CustomEvent<MarkSaved>).detail;
      // A mark that is drawn for an item is taken over; a bound mark that was moved is read again.
      const items = itemId ? [itemId] : this.fields.boundTo(mark.mark_id);
      for (const item of items) queue.add(item, { mark_id: mark.mark_id });
    });
    this.root.addEventListener('collegium:mark-removed', (event) => {
      const { markId } = (event as CustomEvent<{ markId: string }>).detail;
      for (const item of this.fields.boundTo(markId)) queue.add(item, null);
    });
  }
}
