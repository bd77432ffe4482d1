import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ganeshaObstacle, startGanesha, type GaneshaServer } from '../../tests/support/ganesha.js';
import { describeUnless } from '../../tests/support/unless.js';
import type { ByteRange, SourceClient } from '../download/source-client.js';
import { createNfsClient } from './nfs-client.js';
import { GatedSink, MemorySink, sha256, testSettings, watchedSpawn } from './test-support.js';

const MIB = 1024 ** 2;
/** More than all buffers between the server and a sink hold. */
const LARGE_BYTES = 64 * MIB;

const never = new AbortController().signal;

describeUnless(ganeshaObstacle(), 'a real NFS server', () => {
  /** Not a multiple of anything. */
  const image = randomBytes(5 * MIB + 12_345);
  let server: GaneshaServer;
  let client: SourceClient;
  let watched: ReturnType<typeof watchedSpawn>;

  const put = async (name: string, content: string | Buffer): Promise<void> => {
    await writeFile(join(server.directory, name), content, { mode: 0o644 });
  };
  const putLarge = async (name: string): Promise<void> => {
    await put(name, '');
    await truncate(join(server.directory, name), LARGE_BYTES);
  };
  const fetch = async (url: string, range?: ByteRange): Promise<Buffer> => {
    const sink = new MemorySink();
    const body = await client.open(url, never, range);
    await body.pump(sink);
    return sink.bytes;
  };

  beforeAll(async () => {
    server = await startGanesha();
    await mkdir(join(server.directory, 'images/v1'), { recursive: true });
    await put('images/v1/disk', image);
  }, 30_000);

  afterAll(() => server?.stop());

  beforeEach(() => {
    watched = watchedSpawn();
    client = createNfsClient({ settings: testSettings(), spawn: watched.spawn });
  });

  afterEach(async () => {
    client.close();
    await watched.haveEnded();
  });

  describe.each([3, 4] as const)('version %i', (version) => {
    const url = (name: string): string => server.url(name, version);

    it('gives a file whole, and tells about it', async () => {
      const body = await client.open(url('images/v1/disk'), never);
      expect(body).toMatchObject({
        fromByte: 0,
        bodyBytes: image.length,
        totalBytes: image.length,
        etag: expect.stringMatching(/^"nfs-\d+-\d+-\d+\.\d+"$/),
        lastModified: expect.stringMatching(/GMT$/),
        hasRanges: true,
      });
      const sink = new MemorySink();
      await body.pump(sink);
      expect(sha256(sink.bytes)).toBe(sha256(image));
    });

    it.each([
      ['the first byte', 0, 1],
      ['a piece across the bounds of reads', MIB - 1, 2 * MIB + 1],
      ['the end', image.length - 7, undefined],
      ['the end and more', image.length - 7, image.length + 7],
      ['nothing', 100, 100],
    ])('gives %s', async (_what, fromByte, endByte) => {
      const bytes = await fetch(url('images/v1/disk'), { fromByte, endByte });
      expect(sha256(bytes)).toBe(sha256(image.subarray(fromByte, endByte)));
    });

    it('gives several parts at once', async () => {
      const part = Math.ceil(image.length / 3);
      const starts = [0, part, 2 * part];
      const parts = await Promise.all(
        starts.map((fromByte) => fetch(url('images/v1/disk'), { fromByte, endByte: fromByte + part })),
      );
      expect(sha256(Buffer.concat(parts))).toBe(sha256(image));
    });

    it('does one part after the other in one process', async () => {
      const parts: Buffer[] = [];
      for (let fromByte = 0; fromByte < image.length; fromByte += MIB) {
        parts.push(await fetch(url('images/v1/disk'), { fromByte, endByte: fromByte + MIB }));
      }
      expect(sha256(Buffer.concat(parts))).toBe(sha256(image));
      expect(watched.children).toHaveLength(1);
    });

    it('gives an empty file', async () => {
      await put('empty', '');
      await expect(fetch(url('empty'))).resolves.toHaveLength(0);
    });

    it('gives a file whose name needs encoding', async () => {
      await put('größe 100%?#.img', 'found');
      await expect(fetch(url(encodeURIComponent('größe 100%?#.img')))).resolves.toEqual(Buffer.from('found'));
    });

    it('follows a relative link', async () => {
      await symlink('images', join(server.directory, `latest-${version}`));
      await expect(fetch(url(`latest-${version}/v1/disk`), { fromByte: 0, endByte: 9 })).resolves.toEqual(
        image.subarray(0, 9),
      );
    });

    it.each([
      ['/etc/passwd', 'absolute'],
      ['../../../../etc/passwd', 'relative'],
    ])('reads no file of this host through a link to %s', async (target, name) => {
      await symlink(target, join(server.directory, `${name}-${version}`));
      await expect(fetch(url(`${name}-${version}`))).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_NFS' });
    });

    it('sends the whole file when the version is another one', async () => {
      const { etag, lastModified } = await client.open(url('images/v1/disk'), never);
      const range = { fromByte: 10, endByte: 20 };
      for (const ifRange of [etag, lastModified]) {
        await expect(client.open(url('images/v1/disk'), never, { ...range, ifRange })).resolves.toMatchObject({
          fromByte: 10,
          bodyBytes: 10,
        });
      }
      await expect(
        client.open(url('images/v1/disk'), never, { ...range, ifRange: '"nfs-1-2-3.4"' }),
      ).resolves.toMatchObject({ fromByte: 0, bodyBytes: image.length });
    });

    it('refuses to begin behind the end', async () => {
      await expect(fetch(url('images/v1/disk'), { fromByte: image.length })).rejects.toMatchObject({
        code: 'SLIPWAY_SOURCE_SIZE',
      });
    });

    it.each([
      ['is not there', async () => 'missing'],
      ['is a directory', async () => 'images'],
      [
        'is a FIFO',
        async () => {
          execFileSync('mkfifo', ['-m', '644', join(server.directory, `fifo-${version}`)]);
          return `fifo-${version}`;
        },
      ],
      [
        'only root may read',
        async () => {
          await put('private', 'secret');
          await chmod(join(server.directory, 'private'), 0o600);
          return 'private';
        },
      ],
      ['is not exported', async () => '../../not/exported'],
    ])('refuses a file that %s', async (_what, prepare) => {
      await expect(fetch(url(await prepare()))).rejects.toMatchObject({
        code: 'SLIPWAY_SOURCE_NFS',
        message: expect.stringMatching(/^nfs:\/\/127\.0\.0\.1:\d+\/var\/lib\/[^?]*: /),
      });
    });

    it('notices a file that changes while it is read', async () => {
      await putLarge(`growing-${version}`);
      const body = await client.open(url(`growing-${version}`), never);
      const sink = new GatedSink();
      const pumping = body.pump(sink);
      await sink.hasFirst;
      await appendFile(join(server.directory, `growing-${version}`), 'more');
      sink.open();
      await expect(pumping).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_CHANGED' });
      expect(sink.bytes).toBeLessThan(LARGE_BYTES);
    });

    it('notices a new file of the name', async () => {
      await put('replaced', 'old');
      const { etag } = await client.open(url('replaced'), never);
      await put('new', 'new');
      await rename(join(server.directory, 'new'), join(server.directory, 'replaced'));
      const body = await client.open(url('replaced'), never, { fromByte: 1, ifRange: etag });
      expect(body).toMatchObject({ fromByte: 0, etag: expect.not.stringMatching(etag ?? '') });
    });

    it('ends at once when the signal aborts', async () => {
      await putLarge('large');
      const controller = new AbortController();
      const body = await client.open(url('large'), controller.signal);
      const sink = new GatedSink();
      const pumping = body.pump(sink);
      await sink.hasFirst;
      controller.abort();
      await expect(pumping).rejects.toMatchObject({ name: 'AbortError' });
      await watched.haveEnded();
    });

    it('ends with a body that is discarded, and with one that nobody asked for', async () => {
      await putLarge('large');
      const [read, unread] = await Promise.all([client.open(url('large'), never), client.open(url('large'), never)]);
      const sink = new GatedSink();
      const pumping = read.pump(sink);
      await sink.hasFirst;
      read.discard();
      await expect(pumping).rejects.toThrow('discarded');
      unread.discard();
      expect(watched.children).toHaveLength(2);
      // The one that nobody asked for has done nothing yet, and is as good as new.
      await expect(client.open(url('large'), never)).resolves.toMatchObject({ totalBytes: LARGE_BYTES });
      expect(watched.children).toHaveLength(2);
    });

    it('passes on what the sink throws', async () => {
      const body = await client.open(url('images/v1/disk'), never);
      const full = new Error('No space');
      const write = (): boolean => {
        throw full;
      };
      await expect(body.pump({ write, whenWritable: () => Promise.resolve() })).rejects.toBe(full);
      await watched.haveEnded();
    });

    it('is interrupted when its process is killed', async () => {
      await putLarge('large');
      const body = await client.open(url('large'), never);
      const sink = new GatedSink();
      const pumping = body.pump(sink);
      await sink.hasFirst;
      watched.children[0]?.kill('SIGKILL');
      sink.open();
      await expect(pumping).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_INTERRUPTED' });
    });
  });

  it('tries version 3 when version 4 does not find the file', async () => {
    // Absolute links lead astray in version 4.
    await symlink(join(server.directory, 'images/v1/disk'), join(server.directory, 'by-name'));
    await expect(fetch(server.url('by-name', 4))).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_NFS' });
    await expect(fetch(server.url('by-name'), { fromByte: 0, endByte: 9 })).resolves.toEqual(image.subarray(0, 9));
  });

  it('tries the next address of a name', async () => {
    const several = createNfsClient({
      settings: testSettings(),
      spawn: watched.spawn,
      resolve: (_name, _options, callback) =>
        callback(null, [
          { address: '127.0.0.3', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    const url = server.url('images/v1/disk', 4).replace('127.0.0.1', 'images.example');
    await expect(several.open(url, never)).resolves.toMatchObject({ totalBytes: image.length });
    several.close();
  });
});

describeUnless(ganeshaObstacle(), 'an NFS server that dies', () => {
  it.each([3, 4] as const)(
    'interrupts a transfer (version %i)',
    async (version) => {
      const server = await startGanesha();
      const client = createNfsClient({ settings: testSettings() });
      try {
        const path = join(server.directory, 'large');
        await writeFile(path, '', { mode: 0o644 });
        await truncate(path, LARGE_BYTES);
        const body = await client.open(server.url('large', version), never);
        const sink = new GatedSink();
        const pumping = body.pump(sink);
        await sink.hasFirst;
        await server.kill();
        sink.open();
        await expect(pumping).rejects.toMatchObject({
          code: 'SLIPWAY_SOURCE_INTERRUPTED',
          message: expect.stringMatching(/^nfs:\/\//),
        });
        // The next one starts anew, and is told the truth.
        await expect(client.open(server.url('large', version), never)).rejects.toMatchObject({
          code: 'SLIPWAY_SOURCE_CONNECT',
        });
      } finally {
        client.close();
        await server.stop();
      }
    },
    30_000,
  );
});
