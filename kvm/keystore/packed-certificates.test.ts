import { deflateRawSync } from 'node:zlib';
import { MOST_KEYSTORE_BYTES } from '../../shared/certificates.js';
import { packCertificates, unpackKeystore } from './packed-certificates.js';

const [A, B] = [
  { alias: 'a', fingerprint: 'fa', pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
  { alias: 'b', fingerprint: 'fb', pem: '-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n' },
];
const packed = packCertificates([A, B]);

it('gives each host its own set', () => {
  expect(unpackKeystore({ generation: 7 }, packed)).toEqual({ generation: 7, certificates: [A, B] });
  expect(unpackKeystore({ generation: 7, without: [0] }, packed)).toEqual({ generation: 7, certificates: [B] });
});

it('takes the largest set that a zone can have', () => {
  // As many line ends as there can be: each is two characters when packed.
  const certificate = { ...A!, pem: '\n'.repeat(MOST_KEYSTORE_BYTES) };
  expect(unpackKeystore({ generation: 1 }, packCertificates([certificate])).certificates).toEqual([certificate]);
});

it.each([
  ['is not packed', Buffer.from('[]'), /invalid|incorrect|unexpected/],
  ['fills the memory', deflateRawSync(Buffer.alloc(64 * MOST_KEYSTORE_BYTES, ' ')), /larger than/],
  ['is no JSON', deflateRawSync('PEM'), /JSON/],
])('refuses what %s', (_, bytes, reason) => {
  expect(() => unpackKeystore({ generation: 1 }, bytes)).toThrow(reason);
});
