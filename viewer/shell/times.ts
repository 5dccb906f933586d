/**
 * `<time datetime="2026-11-22T10:42:00Z">` shows the person's own zone, UTC on hover. One way to write it, the same as the
 * server's, in every language: 2026-11-22 10:42.
 *
 * `data-style`: `date`, `time`, `minute` (default: date and time) or `ago` (relative, only under a day).
 */
const two = (number: number): string => String(number).padStart(2, '0');

function written(at: Date, style: string): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (style === 'date') return day;
  return style === 'time' ? time : `${day} ${time}`;
}

function relative(at: Date): string | null {
  const seconds = Math.round((Date.now() - at.getTime()) / 1000);
  if (Math.abs(seconds) >= 86_400) return null;
  const say = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, { numeric: 'auto' });
  if (Math.abs(seconds) < 60) return say.format(0, 'minute');
  if (Math.abs(seconds) < 3600) return say.format(-Math.trunc(seconds / 60), 'minute');
  return say.format(-Math.trunc(seconds / 3600), 'hour');
}

export function showTime(element: HTMLTimeElement): void {
  const at = new Date(element.dateTime);
  // A plain date has no zone and is shown as the server wrote it.
  if (Number.isNaN(at.getTime()) || !element.dateTime.includes('T')) return;
  const style = element.dataset['style'] ?? 'minute';
  element.textContent = (style === 'ago' ? relative(at) : null) ?? written(at, style);
  element.title = at.toISOString().replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
}

export function localTimes(): void {
  const all = (within: ParentNode): void => within.querySelectorAll<HTMLTimeElement>('time[datetime]').forEach(showTime);
  all(document);
  document.addEventListener('htmx:load', (event) => {
    const element = event.target as HTMLElement;
    if (element instanceof HTMLTimeElement) showTime(element);
    all(element);
  });
  setInterval(() => document.querySelectorAll<HTMLTimeElement>('time[data-style="ago"]').forEach(showTime), 60_000);
}
