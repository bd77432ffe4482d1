import { checkFileName, fileNameOf, partialNameOf } from './file-names.js';

describe('the name of an image', () => {
  it.each([
    ['https://a.example/images/disk.qcow2', 'disk.qcow2'],
    ['https://a.example/disk.qcow2?signature=secret#part', 'disk.qcow2'],
    ['https://a.example/disk.qcow2.ZST', 'disk.qcow2'],
    ['https://a.example/disk.raw.gz.meta4', 'disk.raw'],
    ['nfs://a.example/export/disk.iso', 'disk.iso'],
    ['https://a.example/a%20b%2Fc.img', 'a-b-c.img'],
    ['https://a.example/..%2f..%2fetc%2fpasswd', 'etc-passwd'],
    ['https://a.example/.hidden', 'hidden'],
    ['https://a.example/--help', 'help'],
    ['https://a.example/%E2%80%AEdisk', 'disk'],
    ['https://a.example/a;rm -rf $HOME', 'a-rm--rf--HOME'],
  ])('of %s is %s', (url, name) => {
    expect(fileNameOf(url)).toBe(name);
    expect(checkFileName(name)).toBe(name);
  });

  it.each([
    'https://a.example/',
    'https://a.example',
    'https://a.example/..',
    'https://a.example/.gz',
    `https://a.example/${'a'.repeat(201)}`,
  ])('cannot be told from %s', (url) => {
    expect(() => fileNameOf(url)).toThrow('give one with --name');
  });

  it.each(['', '.', '..', 'a/b', '/a', '.a', '-a', 'a b', 'a\0', 'a\n', 'ä', 'a'.repeat(201)])(
    'is never %j',
    (name) => {
      expect(() => checkFileName(name)).toThrow('--name has to be');
    },
  );
});

describe('the name of a partial file', () => {
  const checksum = { algorithm: 'MD5' as const, value: 'a'.repeat(32) };
  const url = 'https://me:secret@a.example/disk';

  it('is the same for the same URL and checksum only', () => {
    const names = [
      partialNameOf(url, checksum),
      partialNameOf(url, undefined),
      partialNameOf(`${url}?b`, checksum),
      partialNameOf(url, { ...checksum, value: 'b'.repeat(32) }),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(partialNameOf(url, { ...checksum })).toBe(names[0]);
  });

  it('has nothing of the URL', () => {
    expect(partialNameOf(url, checksum)).toMatch(/^\.slipway-image\.[0-9a-f]{24}\.partial$/);
  });
});
