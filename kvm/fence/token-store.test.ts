import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenStore } from './token-store.js';

const DAY_MS = 24 * 60 * 60 * 1000;
let directory: string;
let store: TokenStore;
let vmId: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-tokens-'));
  store = new TokenStore(directory);
  vmId = randomUUID();
});

afterEach(() => rm(directory, { recursive: true }));

const attempt = (token: number, tokens = store): Promise<string> =>
  tokens.withToken(vmId, token, () => Promise.resolve('done')).catch((error: { code: string }) => error.code);

test.each([
  ['the first token', [5], 'done'],
  ['a higher token', [5, 6], 'done'],
  ['the same token again', [5, 5], 'done'],
  ['a lower token', [5, 4], 'SLIPWAY_FENCED'],
  ['a lower token after a higher one was repeated', [3, 7, 7, 6], 'SLIPWAY_FENCED'],
])('should answer %s', async (_name, tokens, expected) => {
  let last = '';
  for (const token of tokens) last = await attempt(token);
  expect(last).toBe(expected);
});

test('should remember tokens across restarts', async () => {
  await attempt(5);
  expect(await attempt(4, new TokenStore(directory))).toBe('SLIPWAY_FENCED');
});

test('should have the token on disk before anything is done under it', async () => {
  const seenByAnother = await store.withToken(vmId, 9, () => attempt(8, new TokenStore(directory)));
  expect(seenByAnother).toBe('SLIPWAY_FENCED');
});

test('should keep the token of an operation that failed', async () => {
  await expect(store.withToken(vmId, 9, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await attempt(8)).toBe('SLIPWAY_FENCED');
  expect(await attempt(9)).toBe('done');
});

test('should run one operation at a time per VM, and VMs side by side', async () => {
  const events: string[] = [];
  let finishFirst = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    void store.withToken(vmId, 1, () => {
      resolve();
      return new Promise<void>((finish) => {
        finishFirst = () => {
          events.push('first ended');
          finish();
        };
      });
    });
  });
  await started;
  const second = store.withToken(vmId, 2, () => Promise.resolve(events.push('second ran')));
  await store.withToken(randomUUID(), 1, () => Promise.resolve(events.push('another VM ran')));
  finishFirst();
  await second;
  expect(events).toEqual(['another VM ran', 'first ended', 'second ran']);
});

test('should refuse everything rather than take a damaged file for none', async () => {
  await attempt(5);
  await writeFile(join(directory, vmId), '');
  expect(await attempt(6)).toBe('SLIPWAY_INTERNAL');
});

test.each([-1, 0.5, Number.NaN])('should refuse %d as a token', async (token) => {
  expect(await attempt(token)).toBe('SLIPWAY_INTERNAL');
});

test('should make no file from an id with a path in it', async () => {
  await expect(store.withToken('../x', 1, () => Promise.resolve())).rejects.toThrow('not a lower-case UUID');
});

test('should forget VMs only after a month', async () => {
  const now = Date.now();
  await attempt(5);
  await store.sweep(now + 29 * DAY_MS);
  expect(await attempt(4)).toBe('SLIPWAY_FENCED');
  await utimes(join(directory, vmId), now / 1000, (now - 31 * DAY_MS) / 1000);
  await store.sweep(now);
  expect(await readdir(directory)).toEqual([]);
});
