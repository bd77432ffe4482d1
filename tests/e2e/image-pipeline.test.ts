import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import { type OriginServer, startOriginServer } from '../../demo/origin-server.js';
import { runQemuImg } from '../../kvm/image/qemu-img.js';
import { ganeshaObstacle, type GaneshaServer, startGanesha } from '../support/ganesha.js';
import { type TestDisk, TestInstallation } from '../support/test-installation.js';

const run = promisify(execFile);
const MiB = 1024 ** 2;
const PIECE_BYTES = MiB;
const TOKEN = 'me:a-secret-of-the-origin';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Version 4 with piece hashes; all mirrors have one priority. */
function metalinkOf(bytes: Buffer, mirrors: readonly string[]): string {
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index) =>
    sha256(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)),
  );
  return [
    '<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="disk.qcow2.zst">',
    `<size>${bytes.length}</size><hash type="sha-256">${sha256(bytes)}</hash>`,
    `<pieces type="sha-256" length="${PIECE_BYTES}">${pieces.map((hash) => `<hash>${hash}</hash>`).join('')}</pieces>`,
    ...mirrors.map((url) => `<url priority="1">${url}</url>`),
    '</file></metalink>',
  ].join('');
}

describe('the image pipeline', () => {
  let test: TestInstallation;
  let mirror: OriginServer;
  let nfs: GaneshaServer | undefined;

  beforeAll(async () => {
    test = await TestInstallation.start({ hosts: 1 });
    mirror = await startOriginServer();
    const obstacle = ganeshaObstacle();
    if (obstacle === undefined) nfs = await startGanesha();
    else process.stderr.write(`without an NFS mirror: ${obstacle}\n`);
  });
  afterAll(async () => {
    await nfs?.stop();
    await mirror.stop();
    await test.stop();
  });

  const installedBytes = async (vmId: string, templateId: string): Promise<Buffer> => {
    const { poolPath } = await test.hostOf(vmId);
    const name = (await readdir(poolPath)).find((file) => file.startsWith(templateId))!;
    return readFile(path.join(poolPath, name));
  };

  const packed = async (disk: TestDisk, tool: string, suffix: string): Promise<string> => {
    await run(tool, ['-k', '-q', '-f', disk.file]);
    return `${disk.file}${suffix}`;
  };

  it('boots a packed disk from mirrors over HTTP and NFS at once, one of which sends a wrong piece', async () => {
    const disk = await test.disk(32 * MiB);
    const file = await packed(disk, 'zstd', '.zst');
    const bytes = await readFile(file);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(5 * MiB) ^ 1, 5 * MiB);
    const slow = 8 * MiB;
    test.origin.serve('/disk.zst', { content: bytes, bytesPerSecond: slow, credentials: TOKEN });
    mirror.serve('/damaged.zst', { content: damaged, bytesPerSecond: 4 * slow });
    const mirrors = [`${test.origin.url}/disk.zst`, `${mirror.url}/damaged.zst`];
    if (nfs) {
      await copyFile(file, path.join(nfs.directory, 'disk.zst'));
      mirrors.push(nfs.url('disk.zst'));
    }
    test.origin.serve('/disk.meta4', { content: metalinkOf(bytes, mirrors), credentials: TOKEN });

    const templateId = await test.register(`${test.origin.url}/disk.meta4`, undefined, {
      'details[0].HTTP_HEADER:Authorization': `Basic ${Buffer.from(TOKEN).toString('base64')}`,
    });
    const vmId = await test.deploy(templateId);
    await test.hasBooted(vmId, disk);
    expect(sha256(await installedBytes(vmId, templateId))).toBe(disk.sha256);
    expect(mirror.statistics('/damaged.zst').authorizations).toEqual([]);
    await test.expunge(vmId);
    await test.leavesNothing();
  });

  it.each([
    ['gzip', '.gz'],
    ['xz', '.xz'],
    ['bzip2', '.bz2'],
  ])('boots a disk packed with %s, its checksum being that of the packed file', async (tool, suffix) => {
    const disk = await test.disk(4 * MiB);
    const bytes = await readFile(await packed(disk, tool, suffix));
    // Told by content: the name says nothing.
    test.origin.serve('/disk', { content: bytes });
    const templateId = await test.register(`${test.origin.url}/disk`, `{SHA-256}${sha256(bytes)}`);
    const vmId = await test.deploy(templateId);
    await test.hasBooted(vmId, disk);
    await test.expunge(vmId);
    await test.leavesNothing();
  });

  it('refuses a disk that reads a file of the host, and asks for it only once when its checksum is right', async () => {
    const disk = await test.disk(MiB);
    const hostile = `${disk.file}.hostile`;
    await runQemuImg(['create', '-q', '-u', '-f', 'qcow2', '-F', 'raw', '-b', '/etc/shadow', hostile, '1M']);
    const bytes = await readFile(hostile);
    test.origin.serve('/hostile', { content: bytes });
    const templateId = await test.register(`${test.origin.url}/hostile`, `{SHA-256}${sha256(bytes)}`);
    const { id, jobid } = await test.begin(templateId);
    const error = await test.ended(jobid).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CloudStackApiError);
    expect((error as CloudStackApiError).errortext).toContain('backing file');
    const downloads = test.origin.statistics('/hostile').ranges.filter((range) => range === '');
    expect(downloads).toHaveLength(1);
    await test.expunge(id);
    await test.leavesNothing();
  });
});
