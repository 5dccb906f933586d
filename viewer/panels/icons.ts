/** The toolbar's icons, from Tabler and one of our own, as SVG elements. The drawings are part of the bundle, never of a server's answer. */
import arrowsMove from 'tabler-outline/arrows-move.svg?raw';
import brightness from 'tabler-outline/brightness.svg?raw';
import contrast from 'tabler-outline/contrast-2.svg?raw';
import help from 'tabler-outline/help.svg?raw';
import alert from 'tabler-outline/alert-triangle.svg?raw';
import maximize from 'tabler-outline/maximize.svg?raw';
import refresh from 'tabler-outline/restore.svg?raw';
import ruler from 'tabler-outline/ruler-measure.svg?raw';
import single from 'tabler-outline/square.svg?raw';
import link from 'tabler-outline/link.svg?raw';
import sidebar from 'tabler-outline/layout-sidebar.svg?raw';
import scroll from 'tabler-outline/arrows-vertical.svg?raw';
import trash from 'tabler-outline/trash.svg?raw';
import cross from 'tabler-outline/x.svg?raw';
import zoom from 'tabler-outline/zoom-in.svg?raw';
import photoOff from 'tabler-outline/photo-off.svg?raw';
import diameters from './diameters.svg?raw';

const DRAWINGS = { arrowsMove, brightness, contrast, diameters, help, alert, maximize, refresh, ruler, sidebar, single, link, scroll, trash, cross, zoom, photoOff };

export type IconName = keyof typeof DRAWINGS;

export function icon(name: IconName): Element {
  const svg = new DOMParser().parseFromString(DRAWINGS[name].replace(/<!--[\s\S]*?-->/g, ''), 'image/svg+xml').documentElement;
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('stroke-width', '1.6');
  svg.removeAttribute('class');
  return document.importNode(svg, true);
}
