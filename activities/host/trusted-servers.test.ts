import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { metalinkDocument } from '../../demo/origin-server.js';
import { Bandwidth } from '../../kvm/download/bandwidth.js';
import { createSourceClient } from '../../kvm/download/create-source-client.js';
import { chainFingerprint, keystoreDigest, readChain } from '../../kvm/keystore/certificate-chain.js';
import { CertificateStore } from '../../kvm/keystore/certificate-store.js';
import { createHostKeys } from '../../kvm/keystore/host-keys.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import type { DownloadResult } from '../../shared/images.js';
import { downloadSettings } from '../../shared/download-settings.js';
import { packCertificates } from '../../kvm/keystore/packed-certificates.js';
import { defaultSettings } from '../../shared/settings.js';
import {
  type CertificateAuthority,
  createAuthority,
  issueFrom,
  type ServerCertificate,
} from '../../tests/support/certificate-authority.js';
import { makePool } from '../../tests/support/test-pool.js';
import { applyCertificates } from './apply-certificates.js';
import type { HostDependencies } from './dependencies.js';
import { downloadTier } from './download-tier.js';
import { probeUrl, readSources } from './sources.js';
import { sealTier } from './tier-secrets.js';

const CONTENT = Buffer.alloc(4096, 'disk');
const ADVICE =
  'is not signed by a public root or an uploaded certificate: upload the certificate of its authority with ' +
  'uploadTemplateDirectDownloadCertificate';
const settings = downloadSettings({
  ...defaultSettings(),
  'secstorage.allowed.internal.sites': '127.0.0.0/8,::1',
  'direct.download.socket.timeout': '5000',
});

let directory: string;
let authority: CertificateAuthority;
let intermediate: CertificateAuthority;
let own: ServerCertificate;
let below: ServerCertificate;
let keyPair: KeyPair;
let pool: FilesystemPool;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-trust-'));
  keyPair = await generateKeyPair();
  await mkdir(path.join(directory, 'pool'));
  pool = await makePool(path.join(directory, 'pool'));
  authority = await createAuthority(directory, 'Corp Root');
  intermediate = await authority.createSubordinate('Corp Servers');
  own = await authority.issue('own', ['IP:127.0.0.1', 'IP:::1', 'DNS:images.example']);
  below = await intermediate.issue('below', ['IP:127.0.0.1']);
});
afterAll(() => rm(directory, { recursive: true }));

interface ImageServer {
  /** Of the file `/disk`. */
  url(host?: string): string;
  connections(): number;
  serverNames: (string | undefined)[];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A real HTTPS server; `above` are certificates that it sends with its own. */
async function serve({ certificate, key }: ServerCertificate, above: readonly string[] = []): Promise<ImageServer> {
  const cert = [await readFile(certificate, 'utf8'), ...above].join('');
  const serverNames: (string | undefined)[] = [];
  let connections = 0;
  const server = createServer({ cert, key: await readFile(key) }, (request, response) => {
    const [, from = '0', to] = /^bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const end = Math.min(to ? Number(to) + 1 : CONTENT.length, CONTENT.length);
    if (request.url?.endsWith('.meta4')) {
      const mirrors = [{ url: `https://${request.headers.host}/disk`, priority: 1 }];
      response.setHeader('content-type', 'application/metalink4+xml');
      return response.end(metalinkDocument({ name: 'disk', sizeBytes: 1, sha256: '0'.repeat(64), mirrors }));
    }
    const body = CONTENT.subarray(Number(from), end);
    response.setHeader('content-range', `bytes ${from}-${end - 1}/${CONTENT.length}`);
    // Without a length the end of a body is the end of its connection.
    return response.writeHead(206, { 'content-length': body.length }).end(body);
  });
  server.on('secureConnection', ({ servername }: { servername?: string }) => {
    connections++;
    serverNames.push(servername || undefined);
  });
  servers.push(server.listen(0, '::'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: (host = '127.0.0.1') => `https://${host}:${port}/disk`, connections: () => connections, serverNames };
}

/** A host that has been told nothing yet. */
async function newHost() {
  const certificates = await CertificateStore.open(path.join(directory, randomUUID()));
  const dependencies = {
    keys: createHostKeys([keyPair]),
    certificates,
    bandwidth: new Bandwidth(),
    pools: new Map([[pool.poolId, pool]]),
  } as Partial<HostDependencies> as HostDependencies;
  const activity = <Input, Result>(act: (input: Input) => Promise<Result>, input: Input): Promise<Result> =>
    new MockActivityEnvironment().run(act as (input: unknown) => Promise<Result>, input) as Promise<Result>;
  let generation = 0;
  return {
    certificates,
    /** Tells it to trust these, and nothing else. */
    trusts: (trusted: Record<string, string>) => {
      const wanted = Object.entries(trusted).map(([alias, pem]) => ({
        alias,
        pem,
        fingerprint: chainFingerprint(readChain(pem)),
      }));
      const told = { generation: ++generation, named: wanted };
      return applyCertificates(dependencies)(told, packCertificates(wanted));
    },
    download: async (url: string): Promise<DownloadResult> =>
      activity(downloadTier(dependencies), {
        poolId: pool.poolId,
        copy: { templateId: randomUUID(), generation: 1, epoch: 1 },
        resumeFrom: null,
        tier: {
          priority: 1,
          mirrors: [url],
          sealed: await sealTier({ urls: [url], registered: { url, headers: [] } }, keyPair),
        },
        avoid: [],
        hasPieces: false,
        hasVouchedDigest: false,
        isOneAtATime: false,
        algorithms: ['SHA-256'],
        settings,
      }),
    probe: async (url: string) =>
      activity(probeUrl(dependencies), { url: await sealed(url), format: 'RAW' as const, settings }),
    readSources: async (url: string) =>
      activity(readSources(dependencies), {
        url: await sealed(url),
        format: 'RAW' as const,
        settings,
        poolId: pool.poolId,
        copy: { templateId: randomUUID(), generation: 1, epoch: 1 },
      }),
  };
}

const sealed = async (url: string) => ({
  display: url,
  sealed: await sealJson({ url, headers: [] }, keyPair.publicKey),
});

const refusal = (reason: string): object => ({
  code: 'SLIPWAY_SOURCES_EXHAUSTED',
  details: [{ code: 'SLIPWAY_SOURCE_TLS', bytes: 0, reason: expect.stringContaining(reason) as string }],
});

it('downloads from a private server as long as its authority is trusted', async () => {
  const server = await serve(own);
  const host = await newHost();
  const why = refusal(`: its certificate, issued by CN=Corp Root, ${ADVICE}`);
  await expect(host.download(server.url())).rejects.toMatchObject(why);
  await expect(host.probe(server.url())).rejects.toMatchObject(why);

  const fingerprint = chainFingerprint(readChain(authority.certificatePem));
  const digest = keystoreDigest([{ alias: 'corp', fingerprint }]);
  expect(await host.trusts({ corp: authority.certificatePem })).toEqual({
    report: { generation: 1, digest },
    rejected: [],
  });
  await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
  await expect(host.probe(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
  const plan = await host.readSources(server.url().replace('/disk', '/disk.meta4'));
  expect(plan.tiers).toMatchObject([{ mirrors: [server.url()] }]);

  await host.trusts({});
  await expect(host.download(server.url())).rejects.toMatchObject(why);
  await expect(host.probe(server.url())).rejects.toMatchObject(why);
});

it('does not trust a server under a name that its certificate lacks', async () => {
  const server = await serve(await authority.issue('elsewhere', ['DNS:images.example', 'IP:127.0.0.2']));
  const host = await newHost();
  await host.trusts({ corp: authority.certificatePem });
  const names = 'DNS:images.example, IP Address:127.0.0.2';
  await expect(host.download(server.url())).rejects.toMatchObject(
    refusal(`: its certificate is for ${names}, not for 127.0.0.1`),
  );
});

describe('a certificate below an intermediate one', () => {
  const needs = (issuer: string): object => refusal(`: its certificate, issued by CN=${issuer}, ${ADVICE}`);

  it('is trusted for the root when the server sends the one between', async () => {
    const server = await serve(below, [intermediate.certificatePem]);
    const host = await newHost();
    await expect(host.download(server.url())).rejects.toMatchObject(needs('Corp Root'));
    await host.trusts({ corp: authority.certificatePem });
    await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
  });

  it('is trusted with what was uploaded when the server sends nothing but its own', async () => {
    const server = await serve(below);
    const host = await newHost();
    await host.trusts({ corp: authority.certificatePem });
    await expect(host.download(server.url())).rejects.toMatchObject(needs('Corp Servers'));
    await host.trusts({ chain: intermediate.certificatePem + authority.certificatePem });
    await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
  });

  it('is trusted for the intermediate one alone, and others of the root are not', async () => {
    const server = await serve(below, [intermediate.certificatePem]);
    const host = await newHost();
    await host.trusts({ servers: intermediate.certificatePem });
    await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
    await expect(host.download((await serve(own)).url())).rejects.toMatchObject(needs('Corp Root'));
  });

  it('is trusted by itself, and vouches for no other', async () => {
    const pem = await readFile(below.certificate, 'utf8');
    const host = await newHost();
    await host.trusts({ server: pem });
    await expect(host.download((await serve(below)).url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
    // Whoever has the key of a server must not be able to make certificates for others.
    const forged = await issueFrom(below, directory, 'forged', ['IP:127.0.0.1']);
    await expect(host.download((await serve(forged, [pem])).url())).rejects.toMatchObject(
      refusal(': its certificate is not trusted (INVALID_PURPOSE)'),
    );
  });
});

describe('authorities of one name, as before and after the key of one was changed', () => {
  const serverOf = async (of: CertificateAuthority, how = {}) =>
    serve(await of.issue(randomUUID(), ['IP:127.0.0.1'], how));
  const trusted = (all: CertificateAuthority[]): Record<string, string> =>
    Object.fromEntries(all.map(({ certificatePem }, n) => [`corp-${n}`, certificatePem]));

  it.each([true, false])('are trusted beside each other, whether they tell their keys: %s', async (hasKeyIds) => {
    const all: CertificateAuthority[] = [];
    for (const _ of [1, 2, 3]) all.push(await createAuthority(directory, 'Corp Root', { hasKeyIds }));
    const host = await newHost();
    await host.trusts(trusted(all));
    for (const one of all) {
      const server = await serverOf(one, { hasKeyIds });
      await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
    }
  });

  it('do not vouch for what another one has signed', async () => {
    const [one, other, third] = await Promise.all(
      [1, 2, 3].map(() => createAuthority(directory, 'Corp Root', { hasKeyIds: false })),
    );
    const host = await newHost();
    const stranger = await serverOf(third!, { hasKeyIds: false });
    for (const all of [[one!], [one!, other!]]) {
      await host.trusts(trusted(all));
      await expect(host.download(stranger.url())).rejects.toMatchObject(
        refusal(`: its certificate, issued by CN=Corp Root, ${ADVICE}`),
      );
    }
  });

  it('are named when the right one has expired', async () => {
    const authorities = [];
    for (const days of [2, -1]) {
      authorities.push(await createAuthority(directory, 'Corp Root', { days, hasKeyIds: false }));
    }
    const host = await newHost();
    await host.trusts(trusted(authorities));
    const server = await serverOf(authorities[1]!, { hasKeyIds: false });
    await expect(host.download(server.url())).rejects.toMatchObject(
      refusal('corp-1, which has to vouch for it, expired'),
    );
  });
});

describe('an expired certificate', () => {
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString().slice(0, 10);

  it('that was uploaded is named by the download that it breaks', async () => {
    const expired = await createAuthority(directory, 'Old Root', { days: -1 });
    const server = await serve(await expired.issue('current', ['IP:127.0.0.1']));
    const host = await newHost();
    await host.trusts({ fine: authority.certificatePem, 'old-root': expired.certificatePem });
    await expect(host.download(server.url())).rejects.toMatchObject(
      refusal(`: the trusted certificate old-root, which has to vouch for it, expired on ${yesterday}`),
    );
    await expect(host.download((await serve(own)).url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
  });

  it('that was uploaded is named also when the server sends a newer one in its place', async () => {
    const expired = await authority.createSubordinate('Renewed', { days: -1 });
    const renewed = await expired.renew();
    const server = await serve(await renewed.issue('of-renewed', ['IP:127.0.0.1']), [renewed.certificatePem]);
    const host = await newHost();
    await host.trusts({ root: authority.certificatePem });
    await expect(host.download(server.url())).resolves.toMatchObject({ sizeBytes: CONTENT.length });
    await host.trusts({ root: authority.certificatePem, 'old-chain': expired.certificatePem });
    await expect(host.download(server.url())).rejects.toMatchObject(
      refusal(`: the trusted certificate old-chain, which has to vouch for it, expired on ${yesterday}`),
    );
  });

  it('of the server is not blamed on what was uploaded', async () => {
    const server = await serve(await authority.issue('outdated', ['IP:127.0.0.1'], { days: -1 }));
    const host = await newHost();
    await host.trusts({ corp: authority.certificatePem });
    await expect(host.download(server.url())).rejects.toMatchObject(
      refusal(`: the certificate CN=outdated in its chain expired on ${yesterday}`),
    );
  });
});

it('does not trust an authority with names that it may not sign for', async () => {
  const departmental = await createAuthority(directory, 'Department', { permitted: 'DNS:.dept.example' });
  const server = await serve(await departmental.issue('beyond', ['IP:127.0.0.1', 'DNS:images.example']));
  const host = await newHost();
  await host.trusts({ department: departmental.certificatePem });
  await expect(host.download(server.url())).rejects.toMatchObject(
    refusal(': its certificate is not trusted (permitted subtree violation)'),
  );
});

it('names a server whose certificate has other names alone', async () => {
  const host = await newHost();
  await host.trusts({ corp: authority.certificatePem });
  const nameless = (days: number, name: string) =>
    authority.issue(randomUUID(), [`DNS:images.example`, name], { days, hasSubject: false });
  await expect(host.download((await serve(await nameless(1, 'IP:127.0.0.1'))).url())).resolves.toMatchObject({
    sizeBytes: CONTENT.length,
  });
  await expect(host.download((await serve(await nameless(-1, 'IP:127.0.0.1'))).url())).rejects.toMatchObject(
    refusal(': the certificate DNS:images.example, IP Address:127.0.0.1 in its chain expired on'),
  );
  await expect(host.download((await serve(await nameless(1, 'IP:127.0.0.2'))).url())).rejects.toMatchObject(
    refusal(': its certificate is for DNS:images.example, IP Address:127.0.0.2, not for 127.0.0.1'),
  );
});

describe('between two requests of a download', () => {
  const resolve: LookupFunction = (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);

  const startReading = async (host: string) => {
    const { certificates, trusts } = await newHost();
    await trusts({ corp: authority.certificatePem });
    const server = await serve(own);
    const client = createSourceClient({ settings, trust: certificates.trust, resolve });
    const read = async (fromByte: number): Promise<number> => {
      const range = { fromByte, endByte: fromByte + 1024 };
      const body = await client.open(server.url(host), new AbortController().signal, range);
      let bytes = 0;
      await body.pump({
        write: (chunk) => (bytes += chunk.length) > 0,
        whenWritable: () => Promise.resolve(),
      });
      return bytes;
    };
    return { server, client, read, trusts };
  };

  it.each([
    ['127.0.0.1', undefined],
    ['[::1]', undefined],
    ['images.example', 'images.example'],
    ['images.example.', 'images.example'],
  ])('a connection to %s is kept', async (host, serverName) => {
    const { server, client, read } = await startReading(host);
    expect([await read(0), await read(1024)]).toEqual([1024, 1024]);
    expect(server.connections()).toBe(1);
    expect(server.serverNames).toEqual([serverName]);
    client.close();
  });

  it('the connection that is made in place of a lost one is checked against what is trusted then', async () => {
    const { certificates, trusts } = await newHost();
    await trusts({ corp: authority.certificatePem });
    const { certificate, key } = own;
    let requests = 0;
    const server = createServer(
      { cert: await readFile(certificate), key: await readFile(key) },
      (request, response) => {
        const send = () => response.writeHead(206, { 'content-length': 4, 'content-range': 'bytes 0-3/8' }).end('disk');
        // The second request: the certificate is revoked while it waits, and the server closes.
        if (++requests === 2) return void trusts({}).then(() => request.socket.destroy());
        return send();
      },
    );
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/disk`;
    const client = createSourceClient({ settings, trust: certificates.trust });
    const read = async () => {
      const body = await client.open(url, new AbortController().signal, { fromByte: 0, endByte: 4 });
      await body.pump({ write: () => true, whenWritable: () => Promise.resolve() });
    };
    await read();
    await expect(read()).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_TLS' });
    client.close();
  });

  it('a connection is not used again when its certificate was revoked', async () => {
    const { server, client, read, trusts } = await startReading('127.0.0.1');
    await read(0);
    await trusts({ other: intermediate.certificatePem });
    await expect(read(1024)).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_TLS' });
    await trusts({ corp: authority.certificatePem });
    expect(await read(2048)).toBe(1024);
    expect(server.connections()).toBe(2);
    client.close();
  });
});
