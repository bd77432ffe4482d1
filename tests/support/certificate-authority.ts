import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Paths of PEM files. */
export interface ServerCertificate {
  certificate: string;
  key: string;
}

export interface CertificateAuthority {
  /** What a client has to trust. */
  certificatePem: string;
  /** @param names as in a certificate, such as `DNS:a.example` and `IP:::1` */
  issue(file: string, names: readonly string[]): Promise<ServerCertificate>;
}

/** An authority that nobody trusts by default. Its files lie in `directory`. */
export async function createAuthority(directory: string): Promise<CertificateAuthority> {
  const path = (name: string): string => join(directory, name);
  const [caKey, ca] = [path('ca.key'), path('ca.pem')];
  await run('openssl', [
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    caKey,
    '-out',
    ca,
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
  ]);
  return {
    certificatePem: await readFile(ca, 'utf8'),
    async issue(file, names) {
      const [key, request, certificate] = [path(`${file}.key`), path(`${file}.csr`), path(`${file}.pem`)];
      const extensions = path(`${file}.ext`);
      await writeFile(extensions, `subjectAltName=${names.join(',')}\n`);
      await run('openssl', ['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${file}`]);
      const issuer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      await run('openssl', ['x509', '-req', '-in', request, '-out', certificate, ...issuer]);
      return { certificate, key };
    },
  };
}
