/** JSON to the server and back, with an error that says what happened and what to quote. */

export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly reference: string,
    readonly body: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** Nobody answered: the network, the server starting, or a time-out. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

const WAIT_MS = 20_000;
/** Too slow, too many requests: nothing was judged yet. */
const TRY_AGAIN = new Set([408, 429]);

export async function post<T>(address: string, body: object): Promise<T> {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? '';
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRFToken': token, Accept: 'application/json' },
      body: JSON.stringify(body),
      credentials: 'same-origin',
      signal: AbortSignal.timeout(WAIT_MS),
    });
  } catch {
    throw new Unreachable();
  }
  if (response.status >= 500 || TRY_AGAIN.has(response.status)) throw new Unreachable();
  const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (!response.ok) {
    throw new Refusal(response.status, String(said['code'] ?? ''), String(said['message'] ?? ''), String(said['reference'] ?? ''), said);
  }
  return said as T;
}
