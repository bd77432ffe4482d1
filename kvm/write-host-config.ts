import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type FurtherKeyPair,
  type HostConfig,
  parseHostConfig,
  readHostConfig,
  withoutExpiredKeys,
} from './host-config.js';
import { lockOnMachine } from './machine-lock.js';
import { writeFileDurably } from './write-file-durably.js';

const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 20;

/**
 * Readable by its owner only: it has the secret key of the host. What the file of the same host has beside, as of a newer
 * version, stays, also in its pools and keys.
 */
export const writeHostConfig = (path: string, config: HostConfig): Promise<void> =>
  whileAlone(config.hostId, async () => {
    const known = parseHostConfig(config, path);
    const before = await readUnlessUnusable(path);
    await write(path, before?.['hostId'] === config.hostId ? withUnknown(before, known) : known);
  });

type Fields = Record<string, unknown>;

/** A pool goes by its id and a key by its public one, wherever it stands: a key becomes a former one. */
function withUnknown(before: Fields, known: HostConfig): HostConfig {
  const keysBefore = fieldsOf([before['keyPair'], before['furtherKeyPairs']]);
  const poolsBefore = fieldsOf(before['pools']);
  const withUnknownOfKey = <Pair extends FurtherKeyPair>(pair: Pair): Pair => {
    // Known of others than the host's own, and no more a field of one that has become that.
    const { until: _, ...of } = keysBefore.find(({ publicKey }) => publicKey === pair.publicKey) ?? {};
    return { ...unknownOf(of, pair), ...pair };
  };
  return {
    ...unknownOf(before, known),
    ...known,
    keyPair: withUnknownOfKey(known.keyPair),
    furtherKeyPairs: known.furtherKeyPairs?.map(withUnknownOfKey),
    pools: known.pools.map((pool) => ({
      ...unknownOf(poolsBefore.find(({ poolId }) => poolId === pool.poolId) ?? {}, pool),
      ...pool,
    })),
  };
}

const fieldsOf = (values: unknown): Fields[] =>
  [values].flat(2).filter((value): value is Fields => typeof value === 'object' && value !== null);

const unknownOf = (before: Fields, known: object): Fields =>
  Object.fromEntries(Object.entries(before).filter(([name]) => !Object.hasOwn(known, name)));

/** A file that is not there, or not the configuration of a host, has nothing to keep. */
const readUnlessUnusable = (path: string): Promise<Record<string, unknown> | undefined> =>
  readFile(path, 'utf8')
    .then((text) => JSON.parse(text) as Record<string, unknown>)
    .catch(() => undefined);

/**
 * Removes keys that are not accepted any more: whoever gets hold of the file could open what was sealed to them. What
 * another process writes at the same time is not lost, nor what a newer version has written.
 */
export async function forgetExpiredKeys(path: string, nowMs: number): Promise<void> {
  const { hostId } = await readHostConfig(path);
  return whileAlone(hostId, async () => {
    const all: unknown = JSON.parse(await readFile(path, 'utf8'));
    parseHostConfig(all, path);
    const config = all as HostConfig;
    const kept = withoutExpiredKeys(config, nowMs);
    if (kept !== config) await write(path, kept);
  });
}

async function write(path: string, config: HostConfig): Promise<void> {
  await removeRemains(path);
  await writeFileDurably(path, `${JSON.stringify(config, null, 2)}\n`, 0o600);
}

/** What a crash has left of a write has the secret keys too, and would keep those that the file has no more. */
async function removeRemains(path: string): Promise<void> {
  const directory = dirname(path);
  const names = await readdir(directory).catch(() => []);
  const remains = names.filter((name) => name.startsWith(`${basename(path)}.`) && AS_WRITTEN.test(name));
  for (const name of remains) await rm(join(directory, name), { force: true });
}

/** As `writeFileDurably` names files that are not whole. */
const AS_WRITTEN = /\.[0-9a-f]{12}\.tmp$/;

/** The worker of a host and the command on it write one file. Each takes milliseconds. */
async function whileAlone<Result>(hostId: string, act: () => Promise<Result>): Promise<Result> {
  const name = `slipway-config-${hostId}`;
  const lock = () => lockOnMachine(name, `Another process keeps changing the configuration of host ${hostId}`);
  let release = await lock().catch(() => undefined);
  for (let tries = 0; !release && tries < LOCK_TRIES; tries++) {
    await sleep(LOCK_PAUSE_MS);
    release = await lock().catch(() => undefined);
  }
  release ??= await lock();
  try {
    return await act();
  } finally {
    await release();
  }
}
