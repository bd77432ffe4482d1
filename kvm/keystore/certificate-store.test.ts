import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DesiredCertificate } from '../../shared/certificates.js';
import { createAuthority } from '../../tests/support/certificate-authority.js';
import { mountObstacle, mountSmallFileSystem } from '../../tests/support/small-file-system.js';
import { itUnless } from '../../tests/support/unless.js';
import { chainFingerprint, keystoreDigest, readChain } from './certificate-chain.js';
import { CertificateStore } from './certificate-store.js';

let made: string;
let directory: string;
let corp: DesiredCertificate;
let lab: DesiredCertificate;

const desired = (alias: string, pem: string): DesiredCertificate => ({
  alias,
  pem,
  fingerprint: chainFingerprint(readChain(pem)),
});

beforeAll(async () => {
  made = await mkdtemp(path.join(tmpdir(), 'slipway-authorities-'));
  corp = desired('corp', (await createAuthority(made, 'Corp')).certificatePem);
  lab = desired('lab', (await createAuthority(made, 'Lab')).certificatePem);
});
afterAll(() => rm(made, { recursive: true }));
beforeEach(async () => {
  directory = path.join(await mkdtemp(path.join(tmpdir(), 'slipway-keystore-')), 'certificates');
});
afterEach(() => rm(path.dirname(directory), { recursive: true }));

const open = (): Promise<CertificateStore> => CertificateStore.open(directory);
const fileOf = ({ fingerprint }: DesiredCertificate): string => path.join(directory, `${fingerprint}.pem`);
const names = (store: CertificateStore): string[] => store.trust().certificates.map(({ name }) => name);

it('trusts nothing and reports the empty set before it is told anything', async () => {
  const store = await open();
  expect(await store.report()).toEqual({ generation: 0, digest: keystoreDigest([]) });
  expect(store.trust().secureContext).toBeUndefined();
});

it('becomes equal to each set it is told, and is so after a restart', async () => {
  const store = await open();
  const { report, rejected } = await store.apply({ generation: 1, certificates: [lab, corp] });
  expect(rejected).toEqual([]);
  expect(report).toEqual({ generation: 1, digest: keystoreDigest([corp, lab]) });
  const second = await store.apply({ generation: 2, certificates: [lab] });
  expect(second.report).toEqual({ generation: 2, digest: keystoreDigest([lab]) });
  expect((await readdir(directory)).sort()).toEqual([`${lab.fingerprint}.pem`, 'index.json'].sort());
  const restarted = await open();
  expect(await restarted.report()).toEqual(second.report);
  expect(names(restarted)).toEqual(['lab']);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

it('takes the same set again, and refuses an older one, after a restart too', async () => {
  await (await open()).apply({ generation: 7, certificates: [corp] });
  const store = await open();
  const { report } = await store.apply({ generation: 7, certificates: [corp] });
  await expect(store.apply({ generation: 6, certificates: [lab] })).rejects.toMatchObject({
    code: 'SLIPWAY_FENCED',
    message: 'The certificates of generation 6 were refused: this host was given those of 7',
  });
  expect(await store.report()).toEqual(report);
});

it('gives connections other anchors when the certificates are others, and only then', async () => {
  const store = await open();
  await store.apply({ generation: 1, certificates: [corp] });
  const anchors = store.trust();
  await store.apply({ generation: 2, certificates: [corp] });
  await store.report();
  expect(store.trust()).toBe(anchors);
  await store.apply({ generation: 3, certificates: [corp, lab] });
  expect(store.trust()).not.toBe(anchors);
});

describe('what somebody does to its files', () => {
  const withoutLab = () => ({ generation: 1, digest: keystoreDigest([corp]) });

  it.each<[string, () => Promise<void>]>([
    ['a deleted file', () => rm(fileOf(lab))],
    ['an empty file', () => writeFile(fileOf(lab), '')],
    ['another certificate in its place', () => writeFile(fileOf(lab), corp.pem)],
    ['one more in its file', () => writeFile(fileOf(lab), lab.pem + corp.pem)],
  ])('%s is seen, not trusted, and healed by the same set', async (_what, damage) => {
    const store = await open();
    const { report } = await store.apply({ generation: 1, certificates: [corp, lab] });
    await damage();
    expect(await store.report()).toEqual(withoutLab());
    expect(names(store)).toEqual(['corp']);
    expect((await store.apply({ generation: 1, certificates: [corp, lab] })).report).toEqual(report);
    expect(names(store)).toEqual(['corp', 'lab']);
  });

  it.each<[string, () => Promise<void>]>([
    ['deleted directory', () => rm(directory, { recursive: true })],
    ['deleted index', () => rm(path.join(directory, 'index.json'))],
    ['damaged index', () => writeFile(path.join(directory, 'index.json'), '{"generation":1,"certif')],
    ['index of something else', () => writeFile(path.join(directory, 'index.json'), '[null]')],
    [
      'index of a generation that no zone comes to',
      () => writeFile(path.join(directory, 'index.json'), JSON.stringify({ generation: 2 ** 50, certificates: [] })),
    ],
    [
      'index of a generation before the first',
      () => writeFile(path.join(directory, 'index.json'), JSON.stringify({ generation: -1, certificates: [] })),
    ],
    [
      'index that names a file elsewhere',
      () =>
        writeFile(
          path.join(directory, 'index.json'),
          JSON.stringify({ generation: 1, certificates: [{ alias: 'corp', fingerprint: '../corp' }] }),
        ),
    ],
  ])('a %s is an empty set, and healed', async (_what, damage) => {
    const store = await open();
    const { report } = await store.apply({ generation: 1, certificates: [corp] });
    await damage();
    expect(await store.report()).toEqual({ generation: 0, digest: keystoreDigest([]) });
    expect(names(store)).toEqual([]);
    expect((await store.apply({ generation: 1, certificates: [corp] })).report).toEqual(report);
  });

  it('what others keep beside them stays', async () => {
    const store = await open();
    await store.apply({ generation: 1, certificates: [corp] });
    await writeFile(path.join(directory, 'ca-certificates.crt'), lab.pem);
    await store.apply({ generation: 2, certificates: [] });
    await open();
    expect((await readdir(directory)).sort()).toEqual(['ca-certificates.crt', 'index.json']);
  });

  it('a certificate put beside them is not trusted, and gone with the next set', async () => {
    const store = await open();
    await store.apply({ generation: 1, certificates: [corp] });
    await writeFile(fileOf(lab), lab.pem);
    expect(await store.report()).toEqual(withoutLab());
    expect(names(store)).toEqual(['corp']);
    await store.apply({ generation: 2, certificates: [corp] });
    expect(await readdir(directory)).not.toContain(`${lab.fingerprint}.pem`);
  });
});

describe('a crash', () => {
  it('at any moment leaves one of the sets, whole', async () => {
    const sets = [[corp], [lab], [corp, lab]];
    const module = path.join(import.meta.dirname, 'certificate-store.ts');
    const program = `import { CertificateStore } from ${JSON.stringify(module)};
      const sets = ${JSON.stringify(sets)};
      const store = await CertificateStore.open(${JSON.stringify(directory)});
      for (let generation = (await store.report()).generation + 1; ; generation++) {
        await store.apply({ generation, certificates: sets[generation % sets.length] });
        if (generation % 10 === 0) console.log(generation);
      }`;
    let last = 0;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const { generation, digest } = await (await open()).report();
      expect(generation).toBeGreaterThan(last);
      expect(digest).toBe(keystoreDigest(sets[generation % sets.length]!));
      last = generation;
    }
  }, 60_000);

  it('before the index is in place leaves the former set, and the next try succeeds', async () => {
    const former = await (await open()).apply({ generation: 1, certificates: [corp] });
    // What is there when the process ends between the files and the index, and in the middle of writing it.
    await writeFile(fileOf(lab), lab.pem);
    await writeFile(path.join(directory, 'index.json.0123456789ab.tmp'), '{"generation":2,');
    const store = await open();
    expect(await store.report()).toEqual(former.report);
    expect(names(store)).toEqual(['corp']);
    await store.apply({ generation: 2, certificates: [lab] });
    expect((await readdir(directory)).sort()).toEqual([`${lab.fingerprint}.pem`, 'index.json'].sort());
  });

  it('after it leaves the new set, and nothing of the former: a host that has its set is told of none', async () => {
    const next = await (await open()).apply({ generation: 2, certificates: [lab] });
    await writeFile(fileOf(corp), corp.pem);
    const store = await open();
    expect(await store.report()).toEqual(next.report);
    expect(names(store)).toEqual(['lab']);
    expect((await readdir(directory)).sort()).toEqual([`${lab.fingerprint}.pem`, 'index.json'].sort());
  });

  it('of the disk under the index leaves the certificates alone, which the next set needs', async () => {
    await (await open()).apply({ generation: 1, certificates: [lab] });
    await writeFile(path.join(directory, 'index.json'), '{"generation":');
    await open();
    expect(await readdir(directory)).toContain(`${lab.fingerprint}.pem`);
  });
});

describe('when it cannot write', () => {
  // In the way of the file: root may write everywhere else.
  const obstruct = () => mkdir(path.join(fileOf(lab), 'in-the-way'), { recursive: true });
  const failure = { code: 'SLIPWAY_KEYSTORE', message: 'The host cannot write its certificates (EISDIR)' };

  it('keeps of the former set what is in the next, and says why', async () => {
    const store = await open();
    const { report } = await store.apply({ generation: 1, certificates: [corp] });
    await obstruct();
    await expect(store.apply({ generation: 2, certificates: [corp, lab] })).rejects.toMatchObject(failure);
    expect(await store.report()).toEqual(report);
    expect(names(store)).toEqual(['corp']);
  });

  it('trusts no more what is not in the next set, after a restart too', async () => {
    const store = await open();
    await store.apply({ generation: 1, certificates: [corp] });
    await obstruct();
    await expect(store.apply({ generation: 2, certificates: [lab] })).rejects.toMatchObject(failure);
    for (const one of [store, await open()]) {
      expect(await one.report()).toEqual({ generation: 1, digest: keystoreDigest([]) });
      expect(names(one)).toEqual([]);
    }
  });

  itUnless(mountObstacle, 'on a disk that can only be read, trusts no more what was revoked', async () => {
    const disk = await mountSmallFileSystem(64 * 1024);
    try {
      const store = await CertificateStore.open(path.join(disk.path, 'certificates'));
      await store.apply({ generation: 1, certificates: [corp, lab] });
      await disk.remount('ro');
      await expect(store.apply({ generation: 2, certificates: [lab] })).rejects.toMatchObject({
        message: 'The host cannot write its certificates (EROFS)',
      });
      expect(names(store)).toEqual(['lab']);
      await store.report();
      expect(names(store)).toEqual(['lab']);
      await disk.remount('rw');
      await expect(store.apply({ generation: 1, certificates: [corp, lab] })).rejects.toMatchObject({
        code: 'SLIPWAY_FENCED',
      });
      await store.apply({ generation: 3, certificates: [corp] });
      expect(names(store)).toEqual(['corp']);
    } finally {
      await disk.remove();
    }
  });

  itUnless(mountObstacle, 'on a full disk, trusts no more what was revoked', async () => {
    const disk = await mountSmallFileSystem(64 * 1024);
    try {
      const store = await CertificateStore.open(path.join(disk.path, 'certificates'));
      await store.apply({ generation: 1, certificates: [corp, lab] });
      await writeFile(path.join(disk.path, 'log'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
      await expect(writeFile(path.join(disk.path, 'more'), 'x')).rejects.toMatchObject({ code: 'ENOSPC' });
      const { report } = await store.apply({ generation: 2, certificates: [lab] });
      expect(report).toEqual({ generation: 2, digest: keystoreDigest([lab]) });
      expect(names(store)).toEqual(['lab']);
    } finally {
      await disk.remove();
    }
  });
});

it('leaves out what is no certificate, says why, and keeps the rest', async () => {
  const store = await open();
  const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n';
  const { report, rejected } = await store.apply({
    generation: 1,
    certificates: [
      corp,
      { ...lab, alias: 'corp' },
      { ...lab, alias: 'mistaken', fingerprint: corp.fingerprint },
      { ...lab, alias: 'garbage', pem: '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n' },
      { ...lab, alias: 'empty', pem: '' },
      { ...lab, alias: 'with-key', pem: lab.pem + key },
    ],
  });
  expect(rejected).toEqual([
    { alias: 'corp', reason: 'another certificate has its alias' },
    { alias: 'mistaken', reason: 'it is not the certificate that its fingerprint names' },
    { alias: 'garbage', reason: 'it cannot be read as a certificate' },
    { alias: 'empty', reason: 'it has no certificate in PEM form' },
  ]);
  expect(report.digest).toBe(keystoreDigest([corp, { ...lab, alias: 'with-key' }]));
  expect(await readFile(fileOf(lab), 'utf8')).not.toContain('PRIVATE');
});

it('makes its changes one after the other', async () => {
  const store = await open();
  const sets = [[corp], [corp, lab], [lab], [], [lab, corp]];
  const applied = await Promise.all(
    sets.map((certificates, index) => store.apply({ generation: index + 1, certificates })),
  );
  expect(applied.map(({ report }) => report.digest)).toEqual(sets.map(keystoreDigest));
  expect(names(store)).toEqual(['lab', 'corp']);
});
