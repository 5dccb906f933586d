/** The page that de-identifies files in the browser. Its own entry; nothing here sends anything. */
import './deid.scss';
import { make } from '../panels/dom';
import { chosen, dropped, type Found } from './intake';
import { Items, type Item } from './items';
import { Looking } from './looking';
import type { Cleaned, Setting } from './messages';
import { part } from './parts';
import { Pool } from './pool';
import { Results } from './results';
import { RunBar } from './run-bar';
import { canSaveIntoFolders, download, intoFolder, zipped, type Progress } from './save';
import { SettingForm } from './setting';

class DeidPage {
  private readonly pool: Pool;
  private readonly form: SettingForm;
  private readonly results: Results;
  private readonly looking: Looking;
  private readonly bar: RunBar;
  private found: Found[] = [];
  private items: Items | null = null;
  private isCancelled = false;

  constructor(private readonly root: HTMLElement) {
    this.pool = new Pool(root.dataset['python'] ?? '');
    Object.assign(root, { pool: this.pool });
    this.form = new SettingForm(root, this.pool);
    this.form.changed = () => this.settle();
    this.results = new Results(part(root, '[data-results]'));
    this.looking = new Looking(part<HTMLDialogElement>(document, '#looking'), () => this.settle());
    this.results.look = (group) => this.looking.open(group);
    this.bar = new RunBar(part(root, '[data-run]'));
    part(root, '[data-save-folder]').hidden = !canSaveIntoFolders();
    this.listen();
    void this.begin();
  }

  private async begin(): Promise<void> {
    try {
      this.form.offer(await this.pool.recipes);
      this.tellPython('done', 'shield-check', 'Ready, on this computer');
    } catch {
      this.tellPython('stopped', 'circle-x', 'Python does not start here; use a current Chrome, Edge, Firefox or Safari');
    }
  }

  private tellPython(kind: string, icon: string, words: string): void {
    const state = part(document, '[data-python-state]');
    state.className = `state state-${kind}`;
    state.replaceChildren(make('i', { class: `ti ti-${icon}`, 'aria-hidden': 'true' }), make('span', {}, words));
  }

  private listen(): void {
    const { root } = this;
    const zone = part(root, '[data-drop]');
    for (const kind of ['dragenter', 'dragover']) {
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add('is-over');
      });
    }
    document.addEventListener('dragleave', (event) => {
      if (!event.relatedTarget) zone.classList.remove('is-over');
    });
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      zone.classList.remove('is-over');
      if (event.dataTransfer) void this.take(dropped(event.dataTransfer));
    });
    for (const kind of ['files', 'folder']) {
      const input = part<HTMLInputElement>(root, `[data-input="${kind}"]`);
      part(root, `[data-choose-${kind}]`).addEventListener('click', () => input.click());
      input.addEventListener('change', () => {
        if (input.files?.length) void this.take(chosen(input.files)).then(() => (input.value = ''));
      });
    }
    part(root, '[data-run-start]').addEventListener('click', () => void this.run());
    part(root, '[data-run-cancel]').addEventListener('click', () => (this.isCancelled = true));
    part(root, '[data-run-again]').addEventListener('click', () => this.askAgain());
    part(document, '[data-again]').addEventListener('click', () => this.again());
    part(root, '[data-save-zip]').addEventListener('click', () => void this.save(async (...all) => download(await zipped(...all), 'de-identified.zip')));
    part(root, '[data-save-folder]').addEventListener('click', () => void this.save(intoFolder));
    window.addEventListener('beforeunload', (event) => {
      if (this.items && lossOf(this.items)) event.preventDefault();
    });
  }

  private async take(coming: Promise<Found[]>): Promise<void> {
    if (this.items) return toast({ state: 'attention', text: 'Begin again before you add other files.' });
    try {
      this.found = [...this.found, ...(await coming)];
    } catch {
      toast({ state: 'stopped', text: 'The browser could not read what was dropped. Nothing was changed. Try "Choose folder".' });
    }
    this.settle();
  }

  /** Show what is possible now. */
  private settle(): void {
    const got = this.form.get();
    for (const place of ['[data-drop]', '[data-facts]']) part(this.root, place).hidden = this.items !== null;
    if (!this.items) return this.bar.waits(this.found, 'missing' in got ? got.missing : '');
    this.results.refresh();
    this.looking.refresh();
    this.tellSaving();
  }

  private tellSaving(): void {
    const ready = this.items!.free().reduce((sum, group) => sum + group.items.length, 0);
    const waiting = [...this.items!.groups.values()].filter((group) => group.state === 'look' && !group.isConfirmed);
    const left = waiting.reduce((sum, group) => sum + group.items.length, 0);
    const more = left ? ` ${left} wait until you have looked at their pictures.` : '';
    part(this.root, '[data-save-note]').textContent = `${ready ? `${ready === 1 ? '1 file' : `${ready} files`} can be saved.` : 'Nothing can be saved yet.'}${more}`;
    for (const button of this.root.querySelectorAll<HTMLButtonElement>('[data-save-zip], [data-save-folder]')) {
      button.disabled = !ready;
      // Waits without losing the keyboard, as a button that is disabled would.
      button.classList.toggle('disabled', this.bar.isBusy);
      button.setAttribute('aria-disabled', String(this.bar.isBusy));
    }
  }

  private async run(): Promise<void> {
    const got = this.form.get();
    if ('missing' in got || !this.found.length) return;
    this.isCancelled = false;
    this.items = new Items(this.form.recipe()!.fill === 'black' ? 'black' : 'background');
    this.results.show(this.items);
    part(this.root, '[data-results]').hidden = false;
    this.form.lock(true);
    this.root.classList.add('has-results');
    this.bar.begin(this.found.length, 'De-identifying');
    this.settle();
    try {
      await this.clean(got.setting);
      this.bar.end(this.isCancelled);
    } catch {
      this.bar.end(true);
      toast({ state: 'stopped', text: 'Python stopped. What is in the table can be saved; begin again for the rest.' });
    }
    this.settle();
  }

  private async clean(setting: Setting): Promise<void> {
    let drawn = 0;
    await this.pool.run(this.found, setting, async (found, ask) => {
      this.items!.add(await itemOf(found, () => ask<Cleaned>({ ask: 'clean', file: found.file })));
      this.bar.done();
      if (performance.now() - drawn < 250) return;
      drawn = performance.now();
      this.settle();
    }, () => this.isCancelled);
  }

  /** What would be lost is told first. */
  private askAgain(): void {
    const loss = this.items ? lossOf(this.items) : '';
    if (!loss) return this.again();
    part(document, '[data-again-loss]').textContent = loss;
    part<HTMLDialogElement>(document, '#deid-again').showModal();
  }

  private again(): void {
    part<HTMLDialogElement>(document, '#deid-again').close();
    this.found = [];
    this.items = null;
    this.root.classList.remove('has-results');
    part(this.root, '[data-results]').hidden = true;
    this.form.lock(false);
    this.settle();
    part(this.root, '[data-choose-folder]').focus();
  }

  private async save(how: (pool: Pool, groups: ReturnType<Items['free']>, recipe: NonNullable<ReturnType<SettingForm['recipe']>>, progress: Progress) => Promise<void>): Promise<void> {
    if (this.bar.isBusy) return;
    const groups = this.items!.free();
    let isStopped = false;
    this.bar.begin(groups.reduce((sum, group) => sum + group.items.length, 0), 'Saving');
    this.settle();
    try {
      await how(this.pool, groups, this.form.recipe()!, () => this.bar.done());
      this.items!.saved(groups);
      toast({ state: 'done', text: 'Saved. The reports of the exams lie beside their series.' });
    } catch (error) {
      isStopped = true;
      const isLeft = error instanceof DOMException && error.name === 'AbortError';
      if (!isLeft) toast({ state: 'stopped', text: 'Not saved: a file was changed, moved or cannot be written. Nothing left this computer. Begin again with the files where they are now.' });
    }
    this.bar.end(isStopped);
    this.settle();
  }
}

/** A file that cannot be read is refused like any other: one bad file never stops the rest. */
async function itemOf({ path, file }: Found, clean: () => Promise<Cleaned>): Promise<Item> {
  try {
    const { told, head, pixels } = await clean();
    return { path, told, head: new Blob([head]), pixels: pixels.length ? new Blob([pixels]) : file.slice(told.start, told.end) };
  } catch (error) {
    if (error instanceof Error && error.message === 'stopped') throw error;
    const told = { state: 'refused', code: 'deid.browser.failed', reason: 'The file cannot be read, or is none that the de-identifier can take.', study: '', series: '', instance: '', kind: '', start: 0, end: 0, counts: {} } as const;
    return { path, told, head: new Blob(), pixels: new Blob() };
  }
}

/** What would be lost if everything were left now; empty when nothing would. */
function lossOf(items: Items): string {
  const { files, boxes } = items.unsaved();
  const ofFiles = files === 1 ? '1 cleaned file is not saved' : `${files} cleaned files are not saved`;
  const ofBoxes = boxes === 1 ? '1 box that you drew' : `${boxes} boxes that you drew`;
  if (files && boxes) return `${ofFiles}, and ${ofBoxes} would be lost.`;
  return files ? `${ofFiles}.` : boxes ? `${ofBoxes} would be lost.` : '';
}

function toast(detail: { state: 'done' | 'attention' | 'stopped'; text: string }): void {
  document.dispatchEvent(new CustomEvent('collegium:toast', { detail }));
}

const page = document.querySelector<HTMLElement>('[data-deid]');
if (page) new DeidPage(page);
