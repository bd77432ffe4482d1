import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority } from '../../tests/support/certificate-authority.js';
import { createGatewayClient } from './gateway-client.js';

const ANSWER = { installationId: 'i', zoneName: 'zone-1' };

describe('a client of a gateway behind TLS', () => {
  let directory: string;
  let server: Server;
  let certificates: string;
  let answer = { status: 200, body: JSON.stringify(ANSWER) };
  const asked: string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'slipway-gateway-'));
    const authority = await createAuthority(directory);
    certificates = authority.certificatePem;
    const { certificate, key } = await authority.issue('gateway', ['DNS:localhost']);
    server = createServer({ cert: await readFile(certificate), key: await readFile(key) }, (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(answer.status).end(answer.body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });
  const url = (host = 'localhost', below = '') => `https://${host}:${(server.address() as AddressInfo).port}${below}`;
  const check = (at: string, trusted?: string) =>
    createGatewayClient({ url: at, certificates: trusted, allowsHttp: false }).check('token');

  it('asks it, wherever below its URL the API is', async () => {
    expect(await check(url(), certificates)).toEqual(ANSWER);
    expect(await check(url('localhost', '/client/api'), certificates)).toEqual(ANSWER);
    expect(asked).toEqual(['/host-join/check', '/host-join/check']);
  });

  it('does not tell the token to a server that it does not trust, or of another name', async () => {
    asked.length = 0;
    await expect(check(url())).rejects.toMatchObject({ code: 'SLIPWAY_UNAVAILABLE' });
    await expect(check(url('127.0.0.1'), certificates)).rejects.toMatchObject({ code: 'SLIPWAY_UNAVAILABLE' });
    expect(asked).toEqual([]);
  });

  it.each([
    [
      'the gateway’s own error',
      401,
      '{"code":"SLIPWAY_JOIN_TOKEN","message":"was used"}',
      'SLIPWAY_JOIN_TOKEN',
      'was used',
    ],
    ['another server', 200, '<html>', 'SLIPWAY_UNAVAILABLE', 'it is no Slipway gateway (HTTP status 200)'],
    ['a code that is not ours', 500, '{"code":"X","message":"y"}', 'SLIPWAY_UNAVAILABLE', 'HTTP status 500'],
    ['an endless answer', 200, 'x'.repeat(100_000), 'SLIPWAY_UNAVAILABLE', 'too long'],
  ])('rejects with what it is: %s', async (_, status, body, code, text) => {
    answer = { status, body };
    const message = expect.stringContaining(text) as string;
    await expect(check(url(), certificates)).rejects.toMatchObject({ code, message });
  });
});

it.each([
  ['http://slipway.example', false],
  ['http://127.0.0.2:8080', true],
  ['http://[::1]:8080/client/api', true],
  ['ftp://slipway.example', false],
  ['slipway.example', false],
])('takes %s for a gateway: %p', (url, isTaken) => {
  const create = () => createGatewayClient({ url, allowsHttp: false });
  if (isTaken) expect(create).not.toThrow();
  else expect(create).toThrow('https URL');
});

test('takes http on another machine when that is said', () => {
  expect(() => createGatewayClient({ url: 'http://slipway.example', allowsHttp: true })).not.toThrow();
});
