import { randomBytes } from 'node:crypto';
import { endsAsBzip2 } from './bzip2-ending.js';
import { pipe } from './test-support.js';

describe('a bzip2 file', () => {
  // Each ends at a bit of its own.
  const files = Promise.all(Array.from({ length: 24 }, (_none, index) => pipe(randomBytes(index * 7), 'bzip2', '-c')));

  it('should be seen to end as one, at whatever bit', async () => {
    for (const file of await files) expect(endsAsBzip2(file)).toBe(true);
  });

  it.each([1, 2, 5, 9])('should be seen to lack its last %d bytes', async (bytes) => {
    for (const file of await files) expect(endsAsBzip2(file.subarray(0, -bytes))).toBe(false);
  });

  it.each([1, 4, 100])('should be seen to go on for %d bytes', async (bytes) => {
    for (const file of await files) expect(endsAsBzip2(Buffer.concat([file, Buffer.alloc(bytes)]))).toBe(false);
  });
});

it('should not be seen in nothing', () => {
  expect(endsAsBzip2(Buffer.alloc(0))).toBe(false);
});
