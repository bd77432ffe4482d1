import { setImmediate as turn } from 'node:timers/promises';
import { runExclusively } from './exclusive-path.js';

const PATH = '/pool/x.partial';
const never = new AbortController().signal;

/** Something at work that heeds no signal, as a disk that hangs, until it is let go. */
function hang(signal = never): { done: Promise<string>; letGo: () => void; wasAborted: () => boolean } {
  let letGo = (): void => undefined;
  let seen: AbortSignal | undefined;
  const done = runExclusively(PATH, signal, async (either) => {
    seen = either;
    await new Promise<void>((resolve) => (letGo = resolve));
    return 'done';
  });
  return { done, letGo: () => letGo(), wasAborted: () => seen?.aborted === true };
}

test('should end the older call and begin when that has ended', async () => {
  const first = hang();
  await turn();
  const order: string[] = [];
  const second = runExclusively(PATH, never, async () => void order.push('second'));
  await turn();
  expect(first.wasAborted()).toBe(true);
  expect(order).toEqual([]);
  first.letGo();
  await second;
  expect(await first.done).toBe('done');
  expect(order).toEqual(['second']);
});

test('should reject at once when it is called off while it waits, and let nobody in before', async () => {
  const first = hang();
  await turn();
  const calledOff = new AbortController();
  const second = runExclusively(PATH, calledOff.signal, () => Promise.resolve('never'));
  const third = (): Promise<string> => runExclusively(PATH, never, () => Promise.resolve('third'));
  calledOff.abort();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  let isIn = false;
  const waiting = third().finally(() => (isIn = true));
  await turn();
  expect(isIn).toBe(false);
  first.letGo();
  await first.done;
  expect(await waiting).toBe('third');
});

test('should not begin when it is called off before', async () => {
  const act = () => Promise.reject(new Error('began'));
  await expect(runExclusively(PATH, AbortSignal.abort(), act)).rejects.toMatchObject({ name: 'AbortError' });
});

test('should say of what a newer call has ended that it was overtaken, and of what was called off that it was', async () => {
  const untilAborted = (either: AbortSignal) =>
    new Promise<never>((_, reject) => either.addEventListener('abort', () => reject(new Error('write after close'))));
  const calledOff = new AbortController();
  const first = runExclusively(PATH, never, untilAborted);
  await turn();
  const second = runExclusively(PATH, calledOff.signal, untilAborted);
  await expect(first).rejects.toMatchObject({ code: 'SLIPWAY_FENCED' });
  await turn();
  calledOff.abort();
  await expect(second).rejects.toThrow('write after close');
});
