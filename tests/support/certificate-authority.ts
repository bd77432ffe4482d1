import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTrust, type Trust } from '../../kvm/keystore/trust.js';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Paths of PEM files. */
export interface ServerCertificate {
  certificate: string;
  key: string;
}

interface Terms {
  /** From now on; negative for a certificate that has expired. */
  days?: number;
  /** Whether it says by which key it was signed, and an authority which one it has; as older programs do not. */
  hasKeyIds?: boolean;
  /** Of an authority: what it may sign for, as `DNS:.corp.example`; everything by default. */
  permitted?: string;
  /** Otherwise it has other names alone. */
  hasSubject?: boolean;
}

export interface CertificateAuthority {
  /** What a client has to trust. */
  certificatePem: string;
  /** @param names as in a certificate, such as `DNS:a.example` and `IP:::1` */
  issue(file: string, names: readonly string[], terms?: Terms): Promise<ServerCertificate>;
  /** An authority below this one. */
  createSubordinate(name: string, terms?: Terms): Promise<CertificateAuthority>;
  /** The same authority, of the same key, with another certificate. */
  renew(terms?: Terms): Promise<CertificateAuthority>;
}

/** An authority that nobody trusts by default. Its files lie in `directory`. */
export async function createAuthority(
  directory: string,
  name = 'Test CA',
  terms: Terms = {},
): Promise<CertificateAuthority> {
  return authority(directory, terms, (given, key) => makeAuthority(directory, name, given, { key }));
}

/** For clients in tests. */
export function trusting(...pems: readonly string[]): Trust {
  const certificates = pems.map((pem, index) => ({ name: `certificate-${index + 1}`, pem }));
  return createTrust(() => certificates, 'a public root or a certificate of this test');
}

async function authority(
  directory: string,
  terms: Terms,
  make: (terms: Terms, key?: string) => Promise<ServerCertificate>,
  key?: string,
): Promise<CertificateAuthority> {
  const own = await make(terms, key);
  return {
    certificatePem: await readFile(own.certificate, 'utf8'),
    issue: (file, names, given = {}) => issueFrom(own, directory, file, names, given),
    createSubordinate: (name, given = {}) =>
      authority(directory, given, (its, itsKey) => makeAuthority(directory, name, its, { key: itsKey, issuer: own })),
    renew: (given = {}) => authority(directory, given, make, own.key),
  };
}

/** As `CertificateAuthority.issue`, from whatever has a key: also a server, which must not. */
export const issueFrom = (
  issuer: ServerCertificate,
  directory: string,
  file: string,
  names: readonly string[],
  terms: Terms = {},
): Promise<ServerCertificate> =>
  sign(directory, { file, name: file, extensions: `subjectAltName=${names.join(',')}`, terms, issuer });

const makeAuthority = (
  directory: string,
  name: string,
  terms: Terms,
  from: Pick<NewCertificate, 'issuer' | 'key'>,
): Promise<ServerCertificate> =>
  sign(directory, {
    ...from,
    file: `ca-${randomBytes(4).toString('hex')}`,
    name,
    extensions: `basicConstraints=critical,CA:TRUE${terms.permitted ? `\nnameConstraints=critical,permitted;${terms.permitted}` : ''}`,
    terms,
  });

interface NewCertificate {
  /** Without suffix. */
  file: string;
  name: string;
  extensions: string;
  terms: Terms;
  /** Itself by default. */
  issuer?: ServerCertificate | undefined;
  /** A file; a new one by default. */
  key?: string | undefined;
}

async function sign(directory: string, options: NewCertificate): Promise<ServerCertificate> {
  const path = (suffix: string): string => join(directory, `${options.file}.${suffix}`);
  const [request, certificate, extensions] = [path('csr'), path('pem'), path('ext')];
  const key = options.key ?? path('key');
  const ofKey = options.key ? ['-new', '-key', key] : [...NEW_KEY, '-keyout', key];
  const { issuer, terms } = options;
  const keyIds = terms.hasKeyIds === false ? '\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none' : '';
  await writeFile(extensions, `${options.extensions}${keyIds}\n`);
  const subject = terms.hasSubject === false ? '/' : `/CN=${options.name}`;
  await run('openssl', ['req', ...ofKey, '-out', request, '-subj', subject]);
  const signer = issuer ? ['-CA', issuer.certificate, '-CAkey', issuer.key, '-CAcreateserial'] : ['-signkey', key];
  const signing = ['-days', String(terms.days ?? 2), '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, '-out', certificate, ...signer, ...signing]);
  return { certificate, key };
}
