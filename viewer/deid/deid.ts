/** The page that de-identifies files in the browser. Its own entry. */
import { Pool } from './pool';

const page = document.querySelector<HTMLElement>('[data-deid]');
if (page) Object.assign(page, { pool: new Pool(page.dataset['python'] ?? '') });
