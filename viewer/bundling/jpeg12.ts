/**
 * Corrects Cornerstone's decoder of 12-bit JPEG (syntaxes .51, .53, .55), which is 15 stored values too bright.
 *
 * It scales the level shift of 8-bit samples, (2048 + 8), by 4095/255; the shift of 12-bit samples is 2048 * 16 + 8 (ITU-T
 * T.81 A.3.1 and the decoder's own four bits of rounding). Found by comparing one CT slice with its uncompressed form: 29 HU
 * off before, below 1 HU after. Stops the build when the code is no longer there, so that an upgrade is looked at.
 */
import type { Plugin } from 'vite';

const FILE = '@cornerstonejs/dicom-image-loader/dist/esm/codecs/jpeg.js';
const BEFORE = /q =\s*q <= -2056 \/ component\.bitConversion\s*\? 0\s*:[^;]*?>> 4;/;
const AFTER = `{
            var most = Math.round(255 / component.bitConversion);
            q = Math.min(most, Math.max(0, (q + (most + 1) * 8 + 8) >> 4));
        }`;

export function jpeg12(): Plugin {
  return {
    name: 'collegium-jpeg12',
    transform(code, id) {
      if (!id.split('?')[0]!.endsWith(FILE)) return undefined;
      if (!BEFORE.test(code)) throw new Error(`${FILE} has changed; look again at its level shift.`);
      return { code: code.replace(BEFORE, AFTER), map: null };
    },
  };
}
