import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createAddressPolicy } from './address-policy.js';
import { createUrlPolicy } from './url-policy.js';

describe('createAddressPolicy', () => {
  const refusalOf = createAddressPolicy([]);

  it.each(['93.184.216.34', '10.1.2.3', '172.16.0.1', '192.168.1.1', '2606:4700::1111', 'fd12:3456::1'])(
    'allows %s',
    (address) => {
      expect(refusalOf(address)).toBeUndefined();
    },
  );

  it.each([
    ['loopback', '127.0.0.1'],
    ['all of loopback', '127.255.0.9'],
    ['loopback v6', '::1'],
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['unspecified v6', '::'],
    ['link-local and metadata', '169.254.169.254'],
    ['link-local v6', 'fe80::1'],
    ['metadata inside unique local', 'fd00:ec2::254'],
    ['metadata inside public space', '168.63.129.16'],
    ['multicast', '224.0.0.1'],
    ['multicast v6', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['shared address space', '100.64.0.1'],
    ['documentation', '192.0.2.1'],
    ['documentation v6', '2001:db8::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped loopback in hex', '::ffff:7f00:1'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ['NAT64 of metadata', '64:ff9b::169.254.169.254'],
    ['IPv4-compatible loopback', '::127.0.0.1'],
    ['6to4 of loopback', '2002:7f00:1::'],
    ['Teredo', '2001::1'],
    ['site-local', 'fec0::1'],
    ['a name', 'localhost'],
  ])('refuses %s (%s)', (_what, address) => {
    expect(refusalOf(address)).toEqual(expect.any(String));
  });

  it.each([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['127.0.0.0/8', '::1', false],
    ['::1/128', '::1', true],
    ['127.0.0.2', '127.0.0.2', true],
    ['127.0.0.2', '127.0.0.1', false],
    ['100.64.0.0/10', '100.64.3.4', true],
  ])('with %s listed, allows %s: %s', (cidr, address, isAllowed) => {
    expect(createAddressPolicy([cidr])(address) === undefined).toBe(isAllowed);
  });

  it('names the entry that is not a CIDR', () => {
    expect(() => createAddressPolicy(['10.0.0.0/8', '10.0.0.0/99'])).toThrow(
      expect.objectContaining({ code: 'SLIPWAY_PARAMETER_INVALID', message: expect.stringContaining('10.0.0.0/99') }),
    );
  });
});

describe('checkUrl', () => {
  const policy = createUrlPolicy([]);

  it.each([
    ['ftp://example.com/a', 'SLIPWAY_URL_INVALID'],
    ['file:///etc/passwd', 'SLIPWAY_URL_INVALID'],
    ['/relative', 'SLIPWAY_URL_INVALID'],
    ['http://127.0.0.1/', 'SLIPWAY_URL_FORBIDDEN'],
    ['http://2130706433/', 'SLIPWAY_URL_FORBIDDEN'],
    ['http://0x7f.1/', 'SLIPWAY_URL_FORBIDDEN'],
    ['http://[::1]/', 'SLIPWAY_URL_FORBIDDEN'],
    ['http://[::ffff:169.254.169.254]/', 'SLIPWAY_URL_FORBIDDEN'],
  ])('refuses %s with %s', (url, code) => {
    expect(() => policy.checkUrl(url)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['http://example.com/disk', 'SLIPWAY_URL_INVALID'],
    ['nfs://example.com/disk?uid=0', 'SLIPWAY_URL_INVALID'],
    ['nfs://127.0.0.1/disk', 'SLIPWAY_URL_FORBIDDEN'],
    ['nfs://0x7f.1/disk', 'SLIPWAY_URL_FORBIDDEN'],
    ['nfs://%31%32%37.0.0.1/disk', 'SLIPWAY_URL_FORBIDDEN'],
    ['nfs://[::ffff:169.254.169.254]/disk', 'SLIPWAY_URL_FORBIDDEN'],
  ])('of the NFS client refuses %s with %s', (url, code) => {
    expect(() => policy.checkUrl(url, 'nfs')).toThrow(expect.objectContaining({ code }));
  });

  it('lets an NFS URL pass for the NFS client alone', () => {
    const url = 'nfs://images.example/export/disk?version=4';
    expect(policy.checkUrl(url, 'nfs').href).toBe(url);
    expect(() => policy.checkUrl(url)).toThrow(expect.objectContaining({ code: 'SLIPWAY_URL_INVALID' }));
  });

  it('shows no secret of a URL that it refuses', () => {
    expect(() => policy.checkUrl('ftp://user:secret@example.com/a?token=secret')).toThrow(
      expect.objectContaining({ message: 'ftp://example.com/a is neither http nor https' }),
    );
  });
});

describe('lookup', () => {
  const answering =
    (...addresses: string[]): LookupFunction =>
    (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );

  const resolveWith = (resolve: LookupFunction, all: boolean): Promise<string | LookupAddress[]> =>
    new Promise((done, fail) => {
      createUrlPolicy([], resolve).lookup('mirror.example', { all }, (error, answer) =>
        error ? fail(error) : done(answer),
      );
    });

  it('hands over only the addresses that are allowed', async () => {
    const resolve = answering('127.0.0.1', '93.184.216.34', '::1');
    await expect(resolveWith(resolve, true)).resolves.toEqual([{ address: '93.184.216.34', family: 4 }]);
    await expect(resolveWith(resolve, false)).resolves.toBe('93.184.216.34');
  });

  it('refuses a name that leads to forbidden addresses only', async () => {
    await expect(resolveWith(answering('169.254.169.254'), true)).rejects.toMatchObject({
      code: 'SLIPWAY_URL_FORBIDDEN',
      message: expect.stringContaining('mirror.example resolves to 169.254.169.254'),
    });
  });

  it('passes on the failure of name resolution', async () => {
    const failing: LookupFunction = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '');
    await expect(resolveWith(failing, true)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
