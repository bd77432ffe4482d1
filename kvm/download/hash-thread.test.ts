import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HashThread, startHashThread } from './hash-thread.js';
import { randomContent, sha256 } from './test-support.js';

const LENGTH = 1000;
const content = randomContent(2 * LENGTH + 300);
const pieces = {
  algorithm: 'SHA-256' as const,
  lengthBytes: LENGTH,
  totalBytes: content.length,
  values: [0, 1, 2].map((index) => sha256(content.subarray(index * LENGTH, (index + 1) * LENGTH))),
};

let directory: string;
let fd: number;
let slot: Buffer;
let thread: HashThread;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-hash-'));
  await writeFile(join(directory, 'file'), content);
  fd = openSync(join(directory, 'file'), 'r');
  const memory = new SharedArrayBuffer(content.length);
  slot = Buffer.from(memory);
  thread = startHashThread({ algorithms: ['SHA-256'], slots: [memory], fd, pieces });
});
afterEach(async () => {
  await thread.stop();
  closeSync(fd);
  await rm(directory, { recursive: true });
});

const hash = (bytes: Buffer) => {
  bytes.copy(slot);
  return thread.hashSlot(0, bytes.length);
};

describe('a hash thread with pieces', () => {
  it('counts a piece as good with its last byte, and the last one although it is short', async () => {
    expect(await hash(content.subarray(0, LENGTH - 1))).toEqual({ goodBytes: 0 });
    expect(await hash(content.subarray(LENGTH - 1, 2 * LENGTH + 1))).toEqual({ goodBytes: 2 * LENGTH });
    expect(await hash(content.subarray(2 * LENGTH + 1))).toEqual({ goodBytes: content.length });
    expect(await thread.digests()).toEqual([{ algorithm: 'SHA-256', value: sha256(content) }]);
  });

  it('goes back to the start of a wrong piece, and hears nothing until it may go on', async () => {
    const wrong = Buffer.from(content).fill(0, LENGTH + 5, LENGTH + 9);
    const refused = { goodBytes: LENGTH, refusedAt: LENGTH };
    expect(await hash(wrong)).toEqual(refused);
    expect(await hash(content.subarray(2 * LENGTH))).toEqual(refused);
    expect(await thread.hashFile(0, LENGTH)).toEqual(refused);
    expect(await thread.resume()).toEqual({ goodBytes: LENGTH });
    expect(await thread.hashFile(LENGTH, content.length)).toEqual({ goodBytes: content.length });
    expect(await thread.digests()).toEqual([{ algorithm: 'SHA-256', value: sha256(content) }]);
  });

  it('begins anew after a reset, also while a piece is refused', async () => {
    await hash(Buffer.alloc(LENGTH));
    expect(await thread.reset()).toEqual({ goodBytes: 0 });
    expect(await thread.hashFile(0, content.length)).toEqual({ goodBytes: content.length });
    expect(await thread.digests()).toEqual([{ algorithm: 'SHA-256', value: sha256(content) }]);
  });

  it('fails for ever once the file is shorter than was said', async () => {
    await expect(thread.hashFile(0, content.length + 1)).rejects.toThrow('shorter');
    await expect(thread.digests()).rejects.toThrow('shorter');
  });
});
