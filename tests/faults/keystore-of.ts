import { readdir, readFile } from 'node:fs/promises';
import type { RunningHost } from '../../embedded/installation.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import { CertificateStore } from '../../kvm/keystore/certificate-store.js';

type Host = Pick<RunningHost, 'configPath' | 'name'>;

interface NamedCertificate {
  alias: string;
  fingerprint: string;
}

/** Where a host keeps the certificates that it trusts. */
export async function keystoreDirectory({ configPath }: Host): Promise<string> {
  const { certificateDirectory } = JSON.parse(await readFile(configPath, 'utf8')) as { certificateDirectory: string };
  return certificateDirectory;
}

/**
 * Whether a host has this certificate on its disk, read as its worker reads it.
 *
 * @throws Error when it has another set than this one or none
 */
export async function isOnDisk(host: Host, certificate: NamedCertificate): Promise<boolean> {
  const store = await CertificateStore.open(await keystoreDirectory(host));
  const { digest } = await store.report();
  if (digest === keystoreDigest([certificate])) return true;
  if (digest === keystoreDigest([])) return false;
  throw new Error(`${host.name} has neither ${certificate.alias} nor nothing`);
}

/** Names of files that a set of these certificates is not made of. */
export async function strayKeystoreFiles(host: Host, present: NamedCertificate[]): Promise<string[]> {
  const own = new Set(['index.json', ...present.map(({ fingerprint }) => `${fingerprint}.pem`)]);
  const names = await readdir(await keystoreDirectory(host)).catch(() => []);
  return names.filter((name) => !own.has(name));
}
