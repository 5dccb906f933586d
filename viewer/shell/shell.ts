/** The behaviour that every page shares. One file a behaviour; nothing here knows a page. */
import '@fontsource-variable/inter/wght.css';
import 'virtual:icons.css';
import './shell.scss';
import Alpine from '@alpinejs/csp';
import { copyOnClick } from './copy';
import { dialogs } from './dialogs';
import { dividers } from './divider';
import { keptTexts } from './kept';
import { keys } from './keys';
import { live } from './live';
import { menus } from './menus';
import { pageRequests } from './requests';
import { themeChoice } from './theme-choice';
import { localTimes } from './times';
import { toasts } from './toasts';

keptTexts(); // before the toasts: the one that says what was done is still in the page
toasts();
pageRequests();
themeChoice();
dialogs();
menus();
keys();
copyOnClick();
localTimes();
dividers();
live();

Object.assign(window, { Alpine });
Alpine.start();
