/** What a download rejects with when its signal aborts: the `name` that Node's own aborted calls use. */
export function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The download was aborted', { cause: signal.reason }), { name: 'AbortError' });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}
