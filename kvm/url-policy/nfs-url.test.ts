import { nfsLocation } from './nfs-url.js';

const locate = (text: string) => nfsLocation(new URL(text));

describe('nfsLocation', () => {
  const defaults = { version: undefined, nfsPort: undefined, mountPort: undefined };

  it.each([
    ['nfs://server/export/disk', { ...defaults, host: 'server', path: '/export/disk' }],
    ['nfs://server:2050/disk', { ...defaults, host: 'server', path: '/disk', nfsPort: 2050 }],
    ['nfs://server/disk?version=3', { ...defaults, host: 'server', path: '/disk', version: 3 }],
    [
      'nfs://server/disk?version=4&nfsport=1&mountport=65535',
      { host: 'server', path: '/disk', version: 4, nfsPort: 1, mountPort: 65535 },
    ],
    ['nfs://server:7/disk?nfsport=7', { ...defaults, host: 'server', path: '/disk', nfsPort: 7 }],
    ['nfs://[::1]/disk', { ...defaults, host: '::1', path: '/disk' }],
    ['nfs://server/gr%C3%B6%C3%9Fe%20100%25.img', { ...defaults, host: 'server', path: '/größe 100%.img' }],
    ['nfs://server/größe', { ...defaults, host: 'server', path: '/größe' }],
    ['nfs://server/%3Fa%23b', { ...defaults, host: 'server', path: '/?a#b' }],
    ['nfs://server//export///disk', { ...defaults, host: 'server', path: '/export/disk' }],
    ['nfs://server/a/../../b/./%2e%2e/disk', { ...defaults, host: 'server', path: '/disk' }],
    ['nfs://SERVER.Example/disk', { ...defaults, host: 'server.example', path: '/disk' }],
    ['nfs://bücher.example/disk', { ...defaults, host: 'xn--bcher-kva.example', path: '/disk' }],
    ['nfs://0x7f.1/disk', { ...defaults, host: '127.0.0.1', path: '/disk' }],
    ['nfs://2130706433/disk', { ...defaults, host: '127.0.0.1', path: '/disk' }],
    ['nfs://%6cocalhost/disk', { ...defaults, host: 'localhost', path: '/disk' }],
  ])('reads %s', (text, location) => {
    expect(locate(text)).toEqual(location);
  });

  it.each([
    ['user info', 'nfs://user:secret@server/disk'],
    ['a user id', 'nfs://server/disk?uid=0'],
    ['an interface', 'nfs://server/disk?if=secret'],
    ['a key alone', 'nfs://server/disk?secret'],
    ['an option twice', 'nfs://server/disk?version=3&version=4'],
    ['version 2', 'nfs://server/disk?version=2'],
    ['version 4.1', 'nfs://server/disk?version=4.1'],
    ['port 0', 'nfs://server/disk?nfsport=0'],
    ['port 0 beside the host', 'nfs://server:0/disk'],
    ['a port above 65535', 'nfs://server/disk?mountport=65536'],
    ['a port that is no number', 'nfs://server/disk?nfsport=secret'],
    ['a negative port', 'nfs://server/disk?nfsport=-1'],
    ['a port in hex', 'nfs://server/disk?nfsport=0x10'],
    ['an empty port', 'nfs://server/disk?nfsport='],
    ['two ports of one service', 'nfs://server:1/disk?nfsport=2'],
    ['no host', 'nfs:///disk'],
    ['no authority', 'nfs:/disk'],
    ['no path', 'nfs://server'],
    ['no file', 'nfs://server/export/'],
    ['an encoded slash', 'nfs://server/export%2Fdisk'],
    ['a way up behind an encoded slash', 'nfs://server/export/..%2F..%2Fetc%2Fpasswd'],
    ['a NUL', 'nfs://server/disk%00.img'],
    ['a line feed', 'nfs://server/disk%0a'],
    ['bytes that are not UTF-8', 'nfs://server/disk%ff'],
    ['a broken encoding', 'nfs://server/disk%zz'],
    ['an endless path', `nfs://server/${'a/'.repeat(2048)}a`],
    ['a host that cannot be', 'nfs://a%00b/disk'],
  ])('refuses %s', (_what, text) => {
    expect(() => locate(text)).toThrow(
      expect.objectContaining({ code: 'SLIPWAY_URL_INVALID', message: expect.not.stringContaining('secret') }),
    );
  });
});
