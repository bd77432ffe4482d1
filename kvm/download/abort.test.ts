import { unlessAborted } from './abort.js';

describe('work that nobody waits for any more', () => {
  it('may fail later, also when it was given up before it began', async () => {
    let fail = (_error: Error): void => undefined;
    const work = new Promise<void>((_resolve, reject) => (fail = reject));
    await expect(unlessAborted(work, AbortSignal.abort())).rejects.toThrow('aborted');
    // Jest fails a test whose process has a rejection that is not handled.
    fail(new Error('closed'));
    await new Promise(setImmediate);
  });
});
