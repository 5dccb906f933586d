/** How far the work is: files, rate, time left. */
import type { Found } from './intake';
import { part } from './parts';

export class RunBar {
  isBusy = false;
  private all = 0;
  private at = 0;
  private word = '';
  private began = 0;
  private told = 0;

  constructor(private readonly root: HTMLElement) {}

  /** Before a run: what was found, and what is missing. */
  waits(found: Found[], missing: string): void {
    this.root.hidden = !found.length;
    const size = found.reduce((sum, { file }) => sum + file.size, 0);
    this.write(`${found.length === 1 ? '1 file' : `${found.length} files`}`, `, ${sizeOf(size)}`);
    this.buttons({ start: true, cancel: false, again: false });
    part<HTMLButtonElement>(this.root, '[data-run-start]').disabled = Boolean(missing);
    part(this.root, '[data-run-missing]').hidden = !missing;
    part(this.root, '[data-run-missing] span').textContent = missing;
    this.bar(0, 1);
  }

  begin(all: number, word: string): void {
    // The button that began it goes; the keyboard stays where it was.
    if (this.root.contains(document.activeElement)) part(this.root, '[data-run-title]').focus();
    [this.all, this.at, this.word, this.began, this.told, this.isBusy] = [all, 0, word, performance.now(), 0, true];
    part(this.root, '[data-run-missing]').hidden = true;
    this.buttons({ start: false, cancel: word === 'De-identifying', again: false });
    this.tell();
  }

  done(): void {
    this.at += 1;
    if (performance.now() - this.told > 200) this.tell();
  }

  end(isStopped: boolean): void {
    this.isBusy = false;
    const seconds = (performance.now() - this.began) / 1000;
    this.write(isStopped ? 'Stopped' : 'Done', ` ${this.at} of ${this.all === 1 ? '1 file' : `${this.all} files`} in ${seconds.toFixed(1)} s, ${Math.round(this.at / seconds)} a second`);
    this.bar(this.at, this.all);
    this.buttons({ start: false, cancel: false, again: true });
  }

  private tell(): void {
    this.told = performance.now();
    const rate = (this.at / (this.told - this.began)) * 1000;
    const left = rate > 0 ? Math.ceil((this.all - this.at) / rate) : 0;
    this.write(this.word, this.at ? ` ${this.at} of ${this.all}, ${Math.round(rate)} files a second, ${left} s left` : ` ${this.all} files`);
    this.bar(this.at, this.all);
  }

  private write(title: string, note: string): void {
    part(this.root, '[data-run-title]').textContent = title;
    part(this.root, '[data-run-note]').textContent = note;
  }

  private bar(at: number, all: number): void {
    const bar = part<HTMLProgressElement>(this.root, '[data-run-bar]');
    [bar.max, bar.value] = [Math.max(1, all), at];
  }

  private buttons(shown: Record<'start' | 'cancel' | 'again', boolean>): void {
    for (const [name, isShown] of Object.entries(shown)) part(this.root, `[data-run-${name}]`).hidden = !isShown;
  }
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
