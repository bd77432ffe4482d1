/** What a download rejects with when its signal aborts: the `name` that Node's own aborted calls use. */
export function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The download was aborted', { cause: signal.reason }), { name: 'AbortError' });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}

/** Waits for what heeds no signal, and no longer than until the signal aborts. @throws AbortError */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfAborted(signal);
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
