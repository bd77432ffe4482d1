import { setTimeout as sleep } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 300_000;

/** Waits until `isTrue` answers true. @throws Error that says what it has waited for */
export async function until(what: string, isTrue: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`Waited ${patienceMs / 1000} s in vain until ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
