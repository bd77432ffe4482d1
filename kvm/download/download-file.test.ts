import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdtemp, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { DownloadFile } from './download-file.js';
import type { Interval } from './interval-set.js';
import { SLOT_BYTES } from './slot-pool.js';
import { randomContent, sha256 } from './test-support.js';

const GIB = 1024 ** 3;

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-file-'));
  path = join(directory, 'x.partial');
});
afterEach(() => rm(directory, { recursive: true }));

async function write(file: DownloadFile, content: Buffer, { fromByte, endByte }: Interval): Promise<void> {
  const writer = file.writer();
  if (!writer.write(fromByte, content.subarray(fromByte, endByte))) await writer.whenWritable();
  await file.release(writer);
}

describe('a file with much that is still to be hashed', () => {
  /** Zeros that take no space: they only have to be hashed. */
  const openLarge = async (): Promise<DownloadFile> => {
    await writeFile(path, '');
    await truncate(path, 16 * GIB);
    const held = [{ fromByte: 0, endByte: 16 * GIB }];
    return DownloadFile.open({ path, held, algorithms: ['SHA-512'], onRefused: () => undefined });
  };

  it('is saved without waiting for that', async () => {
    const file = await openLarge();
    await file.whenWritten();
    await file.syncWritten();
    expect(file.hashedBytes).toBeLessThan(GIB);
    await file.close();
  });

  it('is emptied without waiting for that', async () => {
    const file = await openLarge();
    await file.reset();
    expect(file.writtenBytes).toBe(0);
    const content = randomContent(1000);
    await write(file, content, { fromByte: 0, endByte: 1000 });
    expect(await file.finish()).toEqual([
      { algorithm: 'SHA-512', value: createHash('sha512').update(content).digest('hex') },
    ]);
    await file.close();
  }, 4_000);
});

describe('what somebody has put in the place of the file', () => {
  const plant: Record<string, (other: string) => Promise<unknown>> = {
    'a link': (other) => symlink(other, path),
    'another name of a file': (other) => link(other, path),
    'a pipe': () => promisify(execFile)('mkfifo', [path]),
  };

  it.each(Object.keys(plant))('is left alone and not kept open: %s', async (what) => {
    const other = join(directory, 'other');
    await writeFile(other, 'bytes');
    await plant[what]?.(other);
    const opening = DownloadFile.open({ path, held: [], algorithms: ['SHA-256'], onRefused: () => undefined });
    await expect(opening).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
    expect(await readFile(other, 'utf8')).toBe('bytes');
    const open = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    expect(open.filter((name) => name.startsWith(directory))).toEqual([]);
  });
});

describe('what is written in any order', () => {
  it.each([0, 1, SLOT_BYTES - 1, SLOT_BYTES, SLOT_BYTES + 1, 5 * SLOT_BYTES + 17])(
    'has the digest of its %d bytes, and pieces that were wrong are told and come again',
    async (size) => {
      const content = randomContent(size);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: size }), { maxLength: 6 }),
          fc.integer({ min: Math.max(1, Math.floor(size / 9)), max: size + 1 }),
          fc.array(fc.nat({ max: Math.max(0, size - 1) }), { maxLength: 3 }),
          fc.infiniteStream(fc.nat()),
          async (cuts, lengthBytes, wrongBytes, order) => {
            await rm(path, { force: true });
            const values = Array.from({ length: Math.ceil(size / lengthBytes) }, (_, index) =>
              sha256(content.subarray(index * lengthBytes, (index + 1) * lengthBytes)),
            );
            const damaged = Buffer.from(content);
            for (const at of size > 0 ? wrongBytes : []) damaged[at] = 255 - (content[at] ?? 0);
            const refused: Interval[] = [];
            const repairs: Promise<void>[] = [];
            const file: DownloadFile = await DownloadFile.open({
              path,
              held: [],
              algorithms: ['SHA-256'],
              pieces: { algorithm: 'SHA-256', lengthBytes, values, totalBytes: size },
              onRefused: (piece) => {
                refused.push(piece);
                repairs.push(write(file, content, piece));
              },
            });
            const edges = [...new Set([0, ...cuts, size])].toSorted((a, b) => a - b);
            const parts = edges.slice(1).map((endByte, index) => ({ fromByte: edges[index] ?? 0, endByte }));
            const shuffled = parts
              .map((part) => ({ part, key: order.next().value ?? 0 }))
              .toSorted((a, b) => a.key - b.key);
            await Promise.all(shuffled.map(({ part }) => write(file, damaged, part)));
            while (file.readyBytes < size) await file.whenChanged();
            await Promise.all(repairs);
            expect((await file.finish())[0]?.value).toBe(sha256(content));
            await file.close();
            expect(content.equals(await readFile(path))).toBe(true);
            const wrongPieces = new Set(size > 0 ? wrongBytes.map((at) => Math.floor(at / lengthBytes)) : []);
            expect(new Set(refused.map(({ fromByte }) => fromByte / lengthBytes))).toEqual(
              new Set([...wrongPieces].filter((piece) => !isSame(damaged, content, piece * lengthBytes, lengthBytes))),
            );
          },
        ),
        { numRuns: 8 },
      );
    },
  );
});

describe('bytes that are taken back while others are written', () => {
  it('are in no digest', async () => {
    const size = 6 * SLOT_BYTES + 5;
    const content = randomContent(size);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: size - 1 }),
        fc.nat({ max: size }),
        fc.nat({ max: 8 }),
        async (from, length, turns) => {
          await rm(path, { force: true });
          const wrong = { fromByte: from, endByte: Math.min(size, from + length + 1) };
          const damaged = Buffer.from(content).fill(7, wrong.fromByte, wrong.endByte);
          const file = await DownloadFile.open({ path, held: [], algorithms: ['SHA-256'], onRefused: () => undefined });
          await write(file, damaged, { fromByte: 0, endByte: wrong.endByte });
          for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
          const rest = write(file, content, { fromByte: wrong.endByte, endByte: size });
          await file.takeBack([wrong]);
          await rest;
          expect(file.readyBytes).toBeLessThanOrEqual(wrong.fromByte);
          await write(file, content, wrong);
          expect((await file.finish())[0]?.value).toBe(sha256(content));
          expect(file.readyBytes).toBe(size);
          await file.close();
          expect(content.equals(await readFile(path))).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  });
});

const isSame = (a: Buffer, b: Buffer, from: number, length: number): boolean =>
  a.subarray(from, from + length).equals(b.subarray(from, from + length));
