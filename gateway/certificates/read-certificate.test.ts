import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority, type CertificateAuthority } from '../../tests/support/certificate-authority.js';
import { readCertificate } from './read-certificate.js';

let directory: string;
let root: CertificateAuthority;
let chain: string;
let key: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-certificates-'));
  root = await createAuthority(directory, 'Root', { days: 20 });
  const middle = await root.createSubordinate('Middle');
  const server = await middle.issue('server', ['DNS:images.example']);
  key = await readFile(server.key, 'utf8');
  chain = `${await readFile(server.certificate, 'utf8')}${middle.certificatePem}`;
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const body = (pem: string) => pem.replaceAll(/-----[A-Z ]+-----/g, '').replaceAll('\n', '');
const sha256 = (...pems: string[]) => {
  const hash = createHash('sha256');
  for (const pem of pems) hash.update(new X509Certificate(pem).raw);
  return hash.digest('hex');
};
const read = (text: string, now = new Date()) => readCertificate(text, now);

describe('a certificate is read', () => {
  it.each<[string, (pem: string) => string]>([
    ['in PEM', (pem) => pem],
    ['with lines of Windows', (pem) => pem.replaceAll('\n', '\r\n')],
    ['without header and footer', body],
    ['without header and footer, in lines', (pem) => body(pem).replaceAll(/.{40}/g, '$& \n')],
    ['in one line', (pem) => pem.replaceAll('\n', '')],
    ['under its older name', (pem) => pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
    ['with what openssl writes before it', (pem) => `subject=CN = Root\nissuer=CN = Root\n${pem}`],
  ])('%s', (_, write) => {
    expect(read(write(root.certificatePem))).toMatchObject({
      certificate: root.certificatePem,
      fingerprint: sha256(root.certificatePem),
      subject: 'CN=Root',
      issuer: 'CN=Root',
      version: 3,
    });
  });

  it('says of itself what it says in OpenSSL', () => {
    const { validFrom, validTo, serialNumber } = new X509Certificate(root.certificatePem);
    const facts = read(root.certificatePem);
    expect(BigInt(facts.serialNumber)).toBe(BigInt(`0x${serialNumber}`));
    expect(facts.notBefore).toBe(new Date(validFrom).toISOString());
    expect(facts.notAfter).toBe(new Date(validTo).toISOString());
  });

  it('may have no subject but other names', async () => {
    const { certificate } = await root.issue('nameless', ['DNS:images.example'], { hasSubject: false });
    expect(read(await readFile(certificate, 'utf8'))).toMatchObject({ subject: '', issuer: 'CN=Root' });
  });

  it('shows names as Java does, and the version of one without extensions', () => {
    expect(read(CLOUDSTACK_CERTIFICATE)).toMatchObject({
      subject: 'EMAILADDRESS=CS, CN=CS, OU=CS, O=CS, L=CS, ST=CS, C=CS',
      version: 1,
      notAfter: '2098-09-15T15:52:35.000Z',
      serialNumber: '312303688436589446585394704033191012001454970059',
    });
  });
});

describe('a chain is read', () => {
  it('whole, in its order, and is valid as long as all of it', () => {
    const [server, middle] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const whole = `${chain}${root.certificatePem}`;
    // Each was made as it was its turn, perhaps a second later than the one before.
    const ends = [server!, middle!, root.certificatePem].map((pem) => Date.parse(new X509Certificate(pem).validTo));
    expect(read(whole)).toMatchObject({
      certificate: whole,
      fingerprint: sha256(server!, middle!, root.certificatePem),
      subject: 'CN=server',
      issuer: 'CN=Middle',
      notAfter: new Date(Math.min(...ends)).toISOString(),
    });
  });
});

describe('what is no valid certificate is refused', () => {
  const refusal = (text: string, now?: Date): string => {
    try {
      read(text, now);
    } catch (error) {
      expect(error).toMatchObject({ code: 'SLIPWAY_CERTIFICATE_INVALID' });
      return (error as Error).message;
    }
    throw new Error('it was read');
  };

  it.each<[string, () => string]>([
    // 28 letters are whole bytes of base64, and the first of them is no tag that a certificate begins with.
    ['base64 of something else', () => 'X'.repeat(28)],
    ['no base64', () => 'a certificate, honestly'],
    ['white space', () => ' \n'],
    ['a header without a footer', () => root.certificatePem.replace('-----END CERTIFICATE-----', '')],
    ['a chain that breaks off', () => `${root.certificatePem}${root.certificatePem.slice(0, 400)}`],
    ['half of it', () => body(root.certificatePem).slice(0, 200)],
    [
      'something behind it',
      () =>
        Buffer.from(`${Buffer.from(body(root.certificatePem), 'base64').toString('latin1')}x`, 'latin1').toString(
          'base64',
        ),
    ],
    ['PEM in base64', () => Buffer.from(root.certificatePem).toString('base64')],
    [
      'one good and one bad',
      // Base64 in the right place, so that what is wrong is what it says alone.
      () => `${root.certificatePem}-----BEGIN CERTIFICATE-----\n${'X'.repeat(28)}\n-----END CERTIFICATE-----`,
    ],
    ['a key as a certificate', () => `-----BEGIN CERTIFICATE-----${body(key)}-----END CERTIFICATE-----`],
  ])('%s', (_, make) => {
    expect(refusal(make())).toBe('The text cannot be read as a certificate, nor as a chain of certificates');
  });

  it('a public key', () => {
    const pem = new X509Certificate(root.certificatePem).publicKey.export({ type: 'spki', format: 'pem' });
    expect(refusal(String(pem))).toBe('The text has something else than certificates in it');
  });

  it.each([
    ['alone', () => key],
    ['behind a certificate', () => `${root.certificatePem}${key}`],
    ['of another kind', () => key.replaceAll('PRIVATE KEY', 'EC PRIVATE KEY')],
    ['cut off', () => `${root.certificatePem}${key.slice(0, 60)}`],
  ])('a private key %s, of which nothing is told', (_, make) => {
    const message = refusal(make());
    expect(message).toContain('private key');
    for (const line of key.split('\n').slice(1, -2)) expect(message).not.toContain(line.slice(0, 10));
  });

  it('one that has expired, or that one of a chain has', () => {
    const end = new Date(new X509Certificate(root.certificatePem).validTo);
    const after = new Date(end.getTime() + 1000);
    expect(refusal(root.certificatePem, after)).toBe(
      `Certificate is invalid. Please provide a valid certificate. Error: it expired on ${end.toISOString()}`,
    );
    expect(refusal(`${root.certificatePem}${chain}`, new Date(end.getTime() - 1000))).toContain(
      'Error: it (number 2 of 3) expired on',
    );
  });

  it('one that is not valid yet', () => {
    const begin = new Date(new X509Certificate(root.certificatePem).validFrom);
    expect(refusal(root.certificatePem, new Date(begin.getTime() - 1000))).toContain(
      `Error: it is not valid before ${begin.toISOString()}`,
    );
  });
});

/** Version 1; the valid one of CloudStack's own integration test. */
const CLOUDSTACK_CERTIFICATE =
  'MIIDSzCCAjMCFDa0LoW+1O8/cEwCI0nIqfl8c1TLMA0GCSqGSIb3DQEBCwUAMGExCzAJBgNVBAYTAkNTMQswCQYDVQQIDAJDUzELMAkGA1UEBwwC' +
  'Q1MxCzAJBgNVBAoMAkNTMQswCQYDVQQLDAJDUzELMAkGA1UEAwwCQ1MxETAPBgkqhkiG9w0BCQEWAkNTMCAXDTE5MDQyNDE1NTIzNVoYDzIwOTgw' +
  'OTE1MTU1MjM1WjBhMQswCQYDVQQGEwJDUzELMAkGA1UECAwCQ1MxCzAJBgNVBAcMAkNTMQswCQYDVQQKDAJDUzELMAkGA1UECwwCQ1MxCzAJBgNV' +
  'BAMMAkNTMREwDwYJKoZIhvcNAQkBFgJDUzCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKstLRcMGCo6+2hojRMjEuuimnWp27yfYhDU' +
  'w/Cj03MJe/KCOhwsDqX82QNIr/bNtLdFf2ZJEUQd08sLLlHeUy9y5aOcxt9SGx2jxolqO4MBL7BW3dklO0IvjaEfBeFP6udz8ajeVur/iPPZb2Ed' +
  'd0zlXuHvDozfQisvbpuJImnTUVx0ReCXP075PBGvlqQXW2uEht+E/w3H8/2rra3JFV6J5xc77KyQSq2t1+2ZU7PJiy/rppXf5rjTvNm6ydfag8/a' +
  'v7lcgs2ntdkK4koAmkmROhAwNonlL7cDxIC83cKOqOFiQXSwr1IgoLf7zBNafKoTlSb/ev6Zt18BXEMLGpkCAwEAATANBgkqhkiG9w0BAQsFAAOC' +
  'AQEAVS5uWZRz2m3yx7EUQm47RTMW5WMXU4pI8D+N5WZ9xubYOqtU3r2OAYpfL/QO8iT7jcqNYGoDqe8ZjEaNvfxiTG8cOI6TSXhKBG6hjSaSFQSH' +
  'OZ5mfstM36y/3ENFh6JCJ2ao1rgWSbfDRyAaHuvt6aCkaV6zRq2OMEgoJqZSgwxLQO230xa2hYgKXOePMVZyHFA2oKJtSOc3jCke9Y8zDUwm0McG' +
  'dMRBD8tVB0rcaOqQ0PlDLjB9sQuhhLu8vjdgbznmPbUmMG7JN0yhT1eJbIX5ImXyh0DoTwiaGcYwW6SqYodjXACsC37xaQXAPYBiaAs4iI80TJSx' +
  '1DVFO1LV0g==';
