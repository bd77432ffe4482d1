import { isIP, type LookupFunction } from 'node:net';
import { abortError } from '../download/abort.js';

/**
 * The addresses of a host, as `lookup` lets them through. An address is its own: it was checked with its URL.
 *
 * @throws what `lookup` says; an Error with code ETIMEDOUT; AbortError
 */
export function resolveHost(
  host: string,
  { lookup, timeoutMs, signal }: { lookup: LookupFunction; timeoutMs: number; signal: AbortSignal },
): Promise<string[]> {
  if (isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((resolve, reject) => {
    const end = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => end(() => reject(abortError(signal)));
    const timer = setTimeout(() => {
      end(() => reject(Object.assign(new Error('No answer from name resolution'), { code: 'ETIMEDOUT' })));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    lookup(host, { all: true }, (error, answer) => {
      if (error) return end(() => reject(error));
      end(() => resolve(typeof answer === 'string' ? [answer] : answer.map(({ address }) => address)));
    });
  });
}
