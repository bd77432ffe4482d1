import type { GrowingFile } from '../unpack/growing-file.js';
import { Follower } from './follower.js';

const FILE: GrowingFile = { path: '/x', readyBytes: 0, isWhole: false, whenMore: () => Promise.resolve() };

describe('a reader of a file that loses bytes twice at the same time', () => {
  it('is there once at most, and never while bytes go', async () => {
    let readers = 0;
    const seen: number[] = [];
    const follower = new Follower(
      (_file, signal) => {
        seen.push(++readers);
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            readers -= 1;
            resolve(undefined);
          }),
        );
      },
      FILE,
      new AbortController().signal,
      () => undefined,
    );
    follower.start();
    const loseBytes = async (): Promise<void> => {
      seen.push(readers);
      await new Promise(setImmediate);
      seen.push(readers);
    };
    await Promise.all([follower.pauseFor(loseBytes), follower.pauseFor(loseBytes)]);
    await follower.stop();
    expect(seen).toEqual([1, 0, 0, 1, 0, 0, 1]);
    expect(readers).toBe(0);
  });

  it('begins anew after a pause that failed, if there is another', async () => {
    let starts = 0;
    const unpack = (): Promise<undefined> => {
      starts += 1;
      return Promise.resolve(undefined);
    };
    const follower = new Follower(unpack, FILE, new AbortController().signal, () => undefined);
    await expect(follower.pauseFor(() => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
    await follower.pauseFor(() => Promise.resolve());
    expect(starts).toBe(1);
  });
});
