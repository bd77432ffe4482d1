import type { Digest } from './checksum.js';
import { expectedDigests, verifyDigests } from './expected-digests.js';

const md5: Digest = { algorithm: 'MD5', value: 'a'.repeat(32) };
const sha1: Digest = { algorithm: 'SHA-1', value: 'b'.repeat(40) };
const sha256: Digest = { algorithm: 'SHA-256', value: 'c'.repeat(64) };
const otherSha256: Digest = { algorithm: 'SHA-256', value: 'd'.repeat(64) };

describe('the digests that must hold', () => {
  it.each<[string, Digest | undefined, Digest[], Digest[]]>([
    ['none without any', undefined, [], []],
    ['the one given', md5, [], [md5]],
    ['the strongest announced', undefined, [sha1, sha256, md5], [sha256]],
    ['the one given and the strongest announced', md5, [sha1, sha256], [md5, sha256]],
    ['one that is given and announced, once', sha256, [sha256, sha1], [sha256]],
    ['two that contradict each other, so that nothing passes', sha256, [otherSha256], [sha256, otherSha256]],
  ])('are %s', (_, given, announced, expected) => {
    expect(expectedDigests(given, announced)).toEqual(expected);
  });

  it('are compared with those computed', () => {
    expect(() => verifyDigests([md5, sha256], [sha256, md5, sha1])).not.toThrow();
    expect(() => verifyDigests([md5, sha256], [md5, otherSha256])).toThrow(
      `expected {SHA-256}${sha256.value}, actual {SHA-256}${otherSha256.value}`,
    );
    expect(() => verifyDigests([md5, sha256], [md5])).toThrow('actual not computed');
  });
});
