import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { HostConfig } from '../../kvm/host-config.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import { writeFileDurably } from '../../kvm/write-file-durably.js';
import { SlipwayError } from '../../shared/errors.js';
import type { HostJoinCheck } from '../../shared/host-join.js';
import type { HostPlaces } from './host-places.js';

/**
 * Kept before anything is said of them: without them nothing that was sealed to this host could be read. A host that was
 * revoked gets others: whoever had the machine may have copied all that were on it.
 */
export async function keyPairOf(
  { joiningPath }: HostPlaces,
  known: HostConfig | undefined,
  { hostId, isRevoked }: HostJoinCheck,
): Promise<KeyPair> {
  const begun = isRevoked ? undefined : await readJoining(joiningPath);
  if (known && begun?.hostId !== known.hostId && !isRevoked) return known.keyPair;
  if (begun) return { publicKey: begun.publicKey, secretKey: begun.secretKey };
  const keyPair = await generateKeyPair();
  await mkdir(path.dirname(joiningPath), { recursive: true, mode: 0o755 });
  await writeFileDurably(joiningPath, JSON.stringify({ ...keyPair, hostId }), 0o600);
  return keyPair;
}

/** `hostId` of a host that is there already, and was to have these keys in place of its own. */
interface Joining extends KeyPair {
  hostId?: string;
}

async function readJoining(joiningPath: string): Promise<Joining | undefined> {
  if (!existsSync(joiningPath)) return undefined;
  try {
    return JSON.parse(await readFile(joiningPath, 'utf8')) as Joining;
  } catch {
    // Without the cause: the parser quotes the text, and a secret key is in it.
    throw new SlipwayError(
      'SLIPWAY_INSTALLATION',
      `${joiningPath} cannot be read: remove it, and join with other keys`,
    );
  }
}
