/**
 * Cornerstone writes one `style` attribute as text, which `style-src 'self'` forbids; through CSSOM it is allowed.
 *
 * Stops the build when the line is no longer there, so that an upgrade is looked at.
 */
import type { Plugin } from 'vite';

const FILE = '@cornerstonejs/tools/dist/esm/drawingSvg/drawTextBox.js';
const BEFORE = "textElement.setAttribute('style', combinedStyle)";
const AFTER = 'textElement.style.cssText = combinedStyle';

export function strictPolicy(): Plugin {
  let seen = false;
  return {
    name: 'collegium-strict-policy',
    transform(code, id) {
      if (!id.split('?')[0]!.endsWith(FILE)) return undefined;
      if (!code.includes(BEFORE)) throw new Error(`${FILE} has changed; look again how it writes styles.`);
      seen = true;
      return { code: code.replace(BEFORE, AFTER), map: null };
    },
    buildEnd(error) {
      if (!error && !seen) throw new Error(`${FILE} was not part of the bundle; look again how text boxes are drawn.`);
    },
  };
}
