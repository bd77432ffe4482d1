import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { buildBootIso } from '../support/boot-iso.js';
import { createAuthority } from '../support/certificate-authority.js';
import type { ProvingGround } from '../support/proving-ground.js';

const MiB = 1024 ** 2;
const DISKS_BYTES = [4 * MiB, 16 * MiB, 32 * MiB];
const ISOS_BYTES = [MiB, 12 * MiB];
/** Two versions of the file that changes. */
const VERSIONS_BYTES = [3 * MiB, 6 * MiB];
const STRANGERS = ['stranger-1', 'stranger-2'];

export interface SourceImage {
  url: string;
  /** Missing of what changes at its source, and may be anything. */
  checksum?: string;
}

/** What the mirror of a soak has, and who vouches for it. */
export interface Sources {
  templates: SourceImage[];
  isos: SourceImage[];
  /** Without the first of them nothing is read over HTTPS; nobody needs the others. */
  certificates: { name: string; pem: string }[];
  /** Puts another file in the place of the one that changes. */
  change(): Promise<void>;
}

export async function prepareSources(ground: ProvingGround): Promise<Sources> {
  const { mirror } = ground;
  const templates: SourceImage[] = [];
  for (const sizeBytes of DISKS_BYTES) {
    const { disk, url } = await ground.disk(sizeBytes);
    templates.push({ url, checksum: `{SHA-256}${disk.sha256}` });
    templates.push({ url: `https://127.0.0.1:${mirror.tlsPort}${disk.path}`, checksum: `{SHA-256}${disk.sha256}` });
  }
  const isos: SourceImage[] = [];
  for (const sizeBytes of ISOS_BYTES) isos.push(await serveIso(mirror, sizeBytes));

  const versions: Buffer[] = [];
  for (const sizeBytes of VERSIONS_BYTES) {
    versions.push(await readFile((await ground.test.disk(sizeBytes, { isObliging: true })).file));
  }
  const changing = join(mirror.directory, 'changing.qcow2');
  const change = async (): Promise<void> => {
    const [next] = versions;
    versions.push(versions.shift()!);
    // Renamed: who reads the former version reads it to its end.
    await writeFile(`${changing}.new`, next!);
    await rename(`${changing}.new`, changing);
  };
  await change();
  templates.push({ url: `http://127.0.0.1:${mirror.port}/changing.qcow2` });

  const certificates = [{ name: 'mirror', pem: mirror.authorityPem }];
  const authorities = join(dirname(mirror.directory), 'authorities');
  await mkdir(authorities);
  for (const name of STRANGERS)
    certificates.push({ name, pem: (await createAuthority(authorities, name)).certificatePem });
  return { templates, isos, certificates, change };
}

async function serveIso(mirror: ProvingGround['mirror'], sizeBytes: number): Promise<SourceImage> {
  const nonce = randomUUID();
  const name = `${nonce}.iso`;
  const file = join(mirror.directory, name);
  await buildBootIso(file, { nonce, isObliging: true });
  // Nobody reads what comes after the volume; it is there to be downloaded.
  await appendFile(file, randomBytes(sizeBytes));
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { url: `http://127.0.0.1:${mirror.port}/${name}`, checksum: `{SHA-256}${sha256}` };
}
