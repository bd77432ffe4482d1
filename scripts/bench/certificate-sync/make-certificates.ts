import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFacts } from '../../../db/certificates.js';
import { readCertificate } from '../../../gateway/certificates/read-certificate.js';
import { run } from '../contest.js';

/** Authorities as companies have them: RSA, a few extensions. */
export async function makeCertificates(count: number): Promise<CertificateFacts[]> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const made: CertificateFacts[] = [];
    for (let index = 1; index <= count; index++) {
      const [key, certificate] = [join(directory, 'key.pem'), join(directory, `${index}.pem`)];
      const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '365', '-subj', `/O=Bench/CN=Root ${index}`];
      await run('openssl', ['req', ...options, '-keyout', key, '-out', certificate]);
      made.push(readCertificate(String(new X509Certificate(await readFile(certificate))), new Date()));
    }
    return made;
  } finally {
    await rm(directory, { recursive: true });
  }
}
