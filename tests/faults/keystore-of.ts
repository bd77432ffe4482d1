import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningHost } from '../../embedded/installation.js';
import { chainFingerprint, keystoreDigest, readChain } from '../../kvm/keystore/certificate-chain.js';
import { parseIndex } from '../../kvm/keystore/keystore-index.js';

const INDEX = 'index.json';

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
 * Whether a host has this certificate on its disk, where its next worker would find it.
 *
 * @throws Error when it has another set than this one or none
 */
export async function isOnDisk(host: Host, certificate: NamedCertificate): Promise<boolean> {
  const directory = await keystoreDirectory(host);
  const text = await readFile(join(directory, INDEX), 'utf8').catch(() => '');
  const intact: NamedCertificate[] = [];
  for (const { alias, fingerprint } of parseIndex(text)?.certificates ?? []) {
    const pem = await readFile(join(directory, `${fingerprint}.pem`), 'utf8').catch(() => '');
    if (chainFingerprint(readChain(pem)) === fingerprint) intact.push({ alias, fingerprint });
  }
  if (keystoreDigest(intact) === keystoreDigest([certificate])) return true;
  if (intact.length === 0) return false;
  throw new Error(`${host.name} trusts something else than ${certificate.alias}`);
}

/** Names of files that a set of these certificates is not made of. */
export async function strayKeystoreFiles(host: Host, present: NamedCertificate[]): Promise<string[]> {
  const own = new Set([INDEX, ...present.map(({ fingerprint }) => `${fingerprint}.pem`)]);
  const names = await readdir(await keystoreDirectory(host)).catch(() => []);
  return names.filter((name) => !own.has(name));
}
