import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `isTrue` answers true; the test's own failure says what it waited for. */
export async function waitFor(
  what: string,
  isTrue: () => Promise<boolean>,
  timeoutMs = 60_000,
  pollMs = 50,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(pollMs);
  }
}
