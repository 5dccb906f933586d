/** What can go wrong, in words a reader can act on. */
export type ProblemKind = 'not-found' | 'denied' | 'network' | 'server' | 'syntax' | 'broken' | 'empty' | 'no-webgl';

export class ViewerProblem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    readonly title: string,
    readonly canRetry = true,
  ) {
    super(message);
  }
}

export const notFound = (): ViewerProblem =>
  new ViewerProblem('not-found', 'It was removed, or your access has ended. Go back and open it again.', 'This exam is not here');

export const denied = (): ViewerProblem =>
  new ViewerProblem('denied', 'Sign in again in another tab, then retry. Nothing you drew is lost.', 'Your session has ended');

export const networkDown = (): ViewerProblem =>
  new ViewerProblem('network', 'The server cannot be reached. What you drew is kept and saved when it is back.', 'No connection');

export const serverFailed = (status: number): ViewerProblem =>
  new ViewerProblem('server', `The server answered with an error (${status}). Nothing was changed.`, 'The images cannot be read');

export function fromStatus(status: number): ViewerProblem {
  if (status === 404 || status === 410) return notFound();
  if (status === 401 || status === 403) return denied();
  if (status === 0) return networkDown();
  return serverFailed(status);
}
