/** What a download rejects with when its signal aborts: the `name` that Node's own aborted calls use. */
export function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The download was aborted', { cause: signal.reason }), { name: 'AbortError' });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}

/** Waits for what heeds no signal, and no longer than until the signal aborts. @throws AbortError */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    // Also with a signal that was aborted before: `work` may fail later, and a rejection that nobody hears ends the process.
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
