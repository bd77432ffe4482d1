import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../tests/support/certificate-authority.js';
import type { SourceOptions } from './arguments.js';
import { openSource, settingsOf } from './open-source.js';

const none: SourceOptions = {
  headers: [],
  allow: [],
  certificateFiles: [],
  isFollowingRedirects: false,
  ownServers: [],
  settings: [],
};
const open = (url: string, options: Partial<SourceOptions> = {}) =>
  openSource(url, { ...none, ...options }, new AbortController().signal);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-open-source-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(directory, name), content);
  return join(directory, name);
}

describe('a source', () => {
  it('has its secrets from files, so that they are in no list of processes', async () => {
    const url = await file('url', 'https://a.example/disk?signature=secret\n');
    const headers = await file('headers', 'Authorization: Bearer secret\r\n\n  \nX-Token:a:b\n');
    const proxy = await file('proxy', 'http://me:secret@proxy.example:3128\n');
    const source = await open(`@${url}`, { headers: ['X-First: 1', `@${headers}`], proxy: `@${proxy}` });
    expect(source.registered).toEqual({
      url: 'https://a.example/disk?signature=secret',
      headers: [
        ['X-First', '1'],
        ['Authorization', 'Bearer secret'],
        ['X-Token', 'a:b'],
      ],
    });
    expect(source.context.proxy?.password).toBe('secret');
  });

  it('trusts the certificates of files', async () => {
    const { certificatePem: pem } = await createAuthority(directory);
    const source = await open('https://a.example/', { certificateFiles: [await file('ca.pem', pem)] });
    expect(source.context.trust?.().certificates).toEqual([{ name: expect.stringMatching(/ca\.pem$/) as string, pem }]);
  });

  it('refuses a certificate that cannot be read', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';
    const opened = open('https://a.example/', { certificateFiles: [await file('broken.pem', pem)] });
    await expect(opened).rejects.toThrow('broken.pem holds no certificate in PEM form, or one that cannot be read');
  });

  it.each<[string, Partial<SourceOptions>, string]>([
    ['disk.qcow2', {}, 'not an absolute http, https or nfs URL'],
    ['file:///etc/passwd', {}, 'not an absolute http, https or nfs URL'],
    ['@/nonexistent', {}, 'URL /nonexistent cannot be read: there is no such file'],
    ['http://a/', { headers: ['no colon, secret'] }, 'An HTTP header is not NAME:VALUE'],
    ['http://a/', { headers: ['Host: b'] }, "HTTP header Host is Slipway's own to send"],
    ['http://a/', { certificateFiles: ['/dev/null'] }, '--ca /dev/null holds no certificate'],
    ['http://a/', { proxy: 'socks5://a' }, '--proxy has to be an http URL'],
    ['http://a/', { allow: ['private'] }, '"private" in the list of allowed internal sites is not a CIDR'],
  ])('%s with %j is refused', async (url, options, message) => {
    await expect(open(url, options)).rejects.toThrow(message);
  });
});

describe('settings', () => {
  it('are those of an installation, changed by the options', () => {
    const settings = settingsOf({
      ...none,
      allow: ['::1/128'],
      isFollowingRedirects: true,
      ownServers: ['A.example'],
      limitBytesPerSecond: 1000,
      settings: [
        'secstorage.allowed.internal.sites=10.0.0.0/8',
        'max.template.iso.size=7',
        'direct.download.socket.timeout=123',
      ],
    });
    expect(settings).toMatchObject({
      allowedInternalCidrs: ['10.0.0.0/8', '::1/128'],
      followRedirects: true,
      ownServers: ['a.example'],
      bandwidth: { host: 1000, pool: 0, origin: 0 },
      maxSizeBytes: 7 * 1024 ** 3,
      socketTimeoutMs: 123,
      connectTimeoutMs: 5000,
    });
  });

  it.each([
    ['x', '--setting has to be NAME=VALUE'],
    ['toString=1', 'there is no setting toString'],
    ['max.template.iso.size=', 'has to be a whole number'],
    ['max.template.iso.size=-1', 'has to be a whole number'],
    ['store.download.follow.redirects=yes', 'has to be true or false'],
  ])('as %s are refused', (assignment, message) => {
    expect(() => settingsOf({ ...none, settings: [assignment] })).toThrow(message);
  });
});
