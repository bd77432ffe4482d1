import { CancellationScope, sleep } from '@temporalio/workflow';

/** `CancellationScope.withTimeout`, with a timer that says in the Web UI what it is for. */
export async function withDeadline<T>(deadlineMs: number, summary: string, work: () => Promise<T>): Promise<T> {
  const working = new CancellationScope();
  const waiting = new CancellationScope();
  const expiry = waiting
    .run(() => sleep(deadlineMs, { summary }))
    .then(
      () => working.cancel(),
      // The work has ended before.
      () => undefined,
    );
  try {
    return await working.run(work);
  } finally {
    waiting.cancel();
    await expiry;
  }
}
