/**
 * htmx under a strict policy: no eval, no injected style, no scripts in answers, same origin only.
 *
 * The token of Django's CSRF check is read from `<meta name="csrf-token">` at each request. An answer with status 422
 * is a form with its problems and is swapped in; any other error becomes a toast with the reference to quote.
 */
import htmx from 'htmx.org';
import { toast } from './toasts';

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? '';
}

export function pageRequests(): void {
  htmx.config.includeIndicatorStyles = false;
  htmx.config.allowEval = false;
  htmx.config.allowScriptTags = false;
  htmx.config.selfRequestsOnly = true;
  htmx.config.historyCacheSize = 0;
  htmx.config.responseHandling = [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    { code: '422', swap: true },
    { code: '[45]..', swap: false, error: true },
  ];
  Object.assign(window, { htmx });

  document.addEventListener('htmx:configRequest', (event) => {
    const detail = (event as CustomEvent<{ verb: string; headers: Record<string, string> }>).detail;
    if (detail.verb !== 'get') detail.headers['X-CSRFToken'] = csrfToken();
  });
  document.addEventListener('htmx:responseError', (event) => {
    const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
    const reference = xhr.getResponseHeader('X-Reference');
    const said = xhr.getResponseHeader('X-Message');
    const text = said ?? (xhr.status === 403 ? 'This is not allowed, or your session has ended.' : 'The server could not do this. Nothing was changed.');
    toast({ state: 'stopped', text: reference ? `${text} Reference ${reference}.` : text });
  });
  document.addEventListener('htmx:sendError', () => {
    toast({ state: 'stopped', text: 'The server cannot be reached. Nothing was changed; try again in a moment.' });
  });
}
