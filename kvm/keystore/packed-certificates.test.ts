import { deflateRawSync } from 'node:zlib';
import { MOST_KEYSTORE_BYTES } from '../../shared/certificates.js';
import { packCertificates, unpackKeystore } from './packed-certificates.js';

const [A, B] = [
  { alias: 'a', fingerprint: 'fa', pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
  { alias: 'b', fingerprint: 'fb', pem: '-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n' },
];
const packed = packCertificates([A, B]);

it('gives each host the texts of its own set', () => {
  const told = { generation: 7, named: [{ alias: 'b', fingerprint: 'fb' }] };
  expect(unpackKeystore(told, packed)).toEqual({ generation: 7, certificates: [B] });
});

it('leaves the text empty of a certificate that is not there', () => {
  const told = { generation: 7, named: [{ alias: 'c', fingerprint: 'fc' }] };
  expect(unpackKeystore(told, packed).certificates).toEqual([{ alias: 'c', fingerprint: 'fc', pem: '' }]);
});

it('takes the largest set that a zone can have', () => {
  // As many line ends as there can be: each is two characters when packed.
  const pem = '\n'.repeat(MOST_KEYSTORE_BYTES);
  const told = { generation: 1, named: [{ alias: 'a', fingerprint: 'fa' }] };
  expect(unpackKeystore(told, packCertificates([{ fingerprint: 'fa', pem }])).certificates[0]?.pem).toBe(pem);
});

it.each([
  ['is not packed', Buffer.from('[]'), /invalid|incorrect|unexpected/],
  ['fills the memory', deflateRawSync(Buffer.alloc(64 * MOST_KEYSTORE_BYTES, ' ')), /larger than/],
  ['is no JSON', deflateRawSync('PEM'), /JSON/],
])('refuses what %s', (_, bytes, reason) => {
  expect(() => unpackKeystore({ generation: 1, named: [] }, bytes)).toThrow(reason);
});
