/** Recipe, subject and site key: the left side of the page. Says what is still missing in words. */
import { make } from '../panels/dom';
import type { Recipe, Setting } from './messages';
import { part } from './parts';
import type { Pool } from './pool';
import { download } from './save';

const CODE = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/;
const NO_CODE = 'A subject code has letters, digits, blanks, dots, hyphens and underscores.';

export class SettingForm {
  changed: () => void = () => undefined;
  private recipes: Recipe[] = [];
  private key = '';

  constructor(
    private readonly root: HTMLElement,
    private readonly pool: Pool,
  ) {
    part<HTMLFormElement>(root, '[data-setting]').addEventListener('submit', (event) => event.preventDefault());
    root.querySelectorAll('[name="whose"]').forEach((radio) => radio.addEventListener('change', () => this.whoseChanged()));
    part(root, '[name="recipe"]').addEventListener('change', () => this.recipeChanged());
    part(root, '[name="subject"]').addEventListener('input', () => this.changed());
    part(root, '[name="subject"]').addEventListener('change', () => this.tellSubject());
    part(root, '[name="table"]').addEventListener('input', () => this.changed());
    part(root, '[name="table"]').addEventListener('change', () => this.tellTable());
    part(root, '[data-open-table]').addEventListener('click', () => part(root, '[data-input="table"]').click());
    part(root, '[data-input="table"]').addEventListener('change', (event) => void this.openTable(event.target as HTMLInputElement));
    part(root, '[data-key-open]').addEventListener('click', () => part(root, '[data-input="key"]').click());
    part(root, '[data-input="key"]').addEventListener('change', (event) => void this.openKey(event.target as HTMLInputElement));
    part(root, '[data-key-new]').addEventListener('click', () => void this.newKey());
    part(root, '[data-key-forget]').addEventListener('click', () => this.useKey('', ''));
  }

  offer(recipes: Recipe[]): void {
    this.recipes = recipes;
    const select = part<HTMLSelectElement>(this.root, '[name="recipe"]');
    select.replaceChildren(...recipes.map(({ name, version }) => new Option(`${name} (version ${version})`, name)));
    select.value = recipes.some(({ name }) => name === 'trial') ? 'trial' : (recipes[0]?.name ?? '');
    select.disabled = false;
    this.recipeChanged();
  }

  /** What a run needs, or the words for what is missing. */
  get(): { setting: Setting } | { missing: string } {
    const recipe = this.recipe();
    const isTable = this.isTable();
    const table = isTable ? tableOf(this.text('table')) : null;
    if (!recipe) return { missing: 'Python is still getting ready.' };
    if (!isTable && !CODE.test(this.text('subject'))) return { missing: this.text('subject') ? NO_CODE : 'Write the subject code.' };
    if (isTable && !table) return { missing: 'Fill the table of subjects.' };
    if (!this.key) return { missing: 'Open the site key, or make a new one.' };
    return { setting: { recipe: recipe.name, key: this.key, subject: isTable ? '' : this.text('subject'), table: table ? JSON.stringify(table) : '' } };
  }

  recipe(): Recipe | undefined {
    const name = part<HTMLSelectElement>(this.root, '[name="recipe"]').value;
    return this.recipes.find((recipe) => recipe.name === name);
  }

  lock(isLocked: boolean): void {
    for (const field of part(this.root, '[data-setting]').querySelectorAll<HTMLInputElement | HTMLButtonElement>('input, select, textarea, button')) field.disabled = isLocked;
  }

  private text(name: string): string {
    return part<HTMLInputElement>(this.root, `[name="${name}"]`).value.trim();
  }

  private isTable(): boolean {
    return part<HTMLInputElement>(this.root, '[name="whose"][value="table"]').checked;
  }

  private whoseChanged(): void {
    part(this.root, '[data-whose="one"]').hidden = this.isTable();
    part(this.root, '[data-whose="table"]').hidden = !this.isTable();
    this.changed();
  }

  private recipeChanged(): void {
    const recipe = this.recipe();
    if (!recipe) return;
    const dates = datesOf(recipe.shifts);
    const pictures = recipe.looks ? 'Pictures that may hold writing wait until you have looked at them.' : 'Pictures that may hold writing are refused.';
    part(this.root, '[data-recipe-words]').textContent = `${dates} ${pictures}`;
    part(this.root, '[data-recipe-more]').hidden = false;
    part(this.root, '[data-recipe-codes]').replaceChildren(...recipe.codes.map(([code, meaning]) => make('li', {}, make('span', { class: 'mono muted' }, code), ` ${meaning}`)));
    part(this.root, '[data-recipe-digest]').textContent = `SHA-256 ${recipe.digest}`;
    this.changed();
  }

  private tell(selector: string, problem: string): void {
    const place = part(this.root, selector);
    place.textContent = problem;
    place.hidden = !problem;
  }

  private tellSubject(): void {
    const text = this.text('subject');
    this.tell('#deid-subject-problem', !text || CODE.test(text) ? '' : NO_CODE);
  }

  private tellTable(): void {
    const text = this.text('table');
    this.tell('#deid-table-problem', !text || tableOf(text) ? '' : `Each line needs a patient id, a comma and a subject code, each id once. ${NO_CODE}`);
  }

  private async openTable(input: HTMLInputElement): Promise<void> {
    const text = await input.files?.[0]?.text();
    input.value = '';
    if (text === undefined) return;
    part<HTMLTextAreaElement>(this.root, '[name="table"]').value = text;
    this.tellTable();
    this.changed();
  }

  private async openKey(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    input.value = '';
    if (!file) return;
    // A key file has 65 characters; whatever is longer need not be read to be none.
    const text = await file.slice(0, 200).text();
    await this.pool.recipes;
    const problem = await this.pool.ask<string>({ ask: 'checkKey', text });
    this.tell('[data-key-problem]', problem);
    if (!problem) this.useKey(text, file.name);
  }

  private async newKey(): Promise<void> {
    await this.pool.recipes;
    const key = await this.pool.ask<string>({ ask: 'newKey' });
    download(new Blob([key], { type: 'text/plain' }), 'collegium-site.key');
    this.tell('[data-key-problem]', '');
    this.useKey(key, 'collegium-site.key, new: keep the file that was saved');
  }

  private useKey(key: string, name: string): void {
    this.key = key;
    part(this.root, '[data-key-name]').textContent = name;
    part(this.root, '[data-key-state]').hidden = !key;
    part(this.root, '[data-key-choice]').hidden = Boolean(key);
    this.changed();
  }
}

function datesOf(shifts: number[]): string {
  const [first, last] = [Math.min(...shifts), Math.max(...shifts)];
  if (!shifts.length) return 'Dates are removed.';
  const days = last <= 0 ? `back by ${-last} to ${-first} days` : `by ${first} to ${last} days`;
  return `Dates move ${days}, all dates of a patient by as many.`;
}

/** Local ids to codes; null when a line is not such a pair, or an id is there twice. */
function tableOf(text: string): Record<string, string> | null {
  const table: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of text.split(/\r?\n/).filter((one) => one.trim())) {
    const [id, code, ...more] = line.split(/[,;\t]/).map((one) => one.trim().replace(/^"(.*)"$/, '$1'));
    if (!id || !code || more.length || !CODE.test(code) || id in table) return null;
    table[id] = code;
  }
  return Object.keys(table).length ? table : null;
}
