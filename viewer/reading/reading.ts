/** The reading page: the form beside the viewer. Its own entry; the shell and the viewer know nothing of it. */
import './reading.scss';
import { Acts } from './acts';
import { listenToCompared } from './compared';
import { dayPickers } from './days';
import { Fields } from './fields';
import { keysOfForm } from './keys';
import { Measured } from './measured';
import { Queue } from './queue';
import { SaveState } from './save-state';
import { UnsentStore } from './unsent';

const page = document.querySelector<HTMLElement>('[data-reading]');

async function begin(root: HTMLElement): Promise<void> {
  const api = root.dataset['api'] ?? '';
  const entry = root.dataset['entry'] ?? '';
  new Acts(root, api).listen();
  listenToCompared(root);
  keysOfForm(root);
  dayPickers(root);
  const fields = new Fields(root);
  const measured = new Measured(root, fields);
  if (root.dataset['draft'] !== 'yes') {
    measured.listen(null);
    return;
  }
  const state = new SaveState(root);
  const queue = new Queue(`${api}changes`, Number(root.dataset['revision'] ?? '0'), new UnsentStore(entry), state);
  queue.onSaved = (saved) => {
    fields.show(saved);
    if (saved.late_images) state.lateImages();
  };
  fields.listen(queue);
  queue.beforeLeaving = () => fields.flush(queue);
  measured.listen(queue, state);
  new Acts(root, api).submit(queue, fields);
  for (const [item, change] of await queue.restore()) fields.put(item, change);
}

if (page) void begin(page);
