import { machine } from 'node:os';
import { type FurtherKeyPair, type HostConfig, readHostConfig, withoutExpiredKeys } from '../../kvm/host-config.js';
import { writeHostConfig } from '../../kvm/write-host-config.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { SlipwayError } from '../../shared/errors.js';
import { aloneWithKeys } from './alone-with-keys.js';
import type { RotateKeysCommand } from './commands.js';
import { createGatewayClient } from './gateway-client.js';
import { type HostPlaces, hostPlaces } from './host-places.js';
import { readCertificates, readSecret } from './read-secret.js';
import { isSystemdRunning, systemctl } from './systemctl.js';

/** Longer than an order takes that was sealed before, its wait for a slot included, unless downloads may take days. */
const FORMER_KEY_HOURS = 48;
const HOUR_MS = 3_600_000;

/**
 * Gives this host other keys. Its worker accepts the new one before the control plane hears of it, and the former one for
 * as long as orders may be under way; it reads host.json again by itself.
 */
export const rotateKeys = (command: RotateKeysCommand, nowMs: number): Promise<Rotated> => {
  const places = hostPlaces(command.places);
  return aloneWithKeys(places.configPath, () => rotate(command, places, nowMs));
};

interface Rotated {
  hostId: string;
  publicKey: string;
  text: string;
}

async function rotate(
  command: RotateKeysCommand,
  { configPath, unitName }: HostPlaces,
  nowMs: number,
): Promise<Rotated> {
  const config = await readHostConfig(configPath);
  const { url, certificates, allowsHttp } = {
    url: command.gateway,
    certificates: await readCertificates(command.certificateFile),
    allowsHttp: command.allowsHttp,
  };
  const gateway = createGatewayClient({ url, certificates, allowsHttp });
  const token = await readSecret('--token', command.token);
  const { hostId, isRevoked } = await gateway.check(token);
  if (hostId !== config.hostId) {
    const purpose = hostId === undefined ? 'for a new host' : 'for another host';
    throw new SlipwayError('SLIPWAY_JOIN_REFUSED', `The token is ${purpose}, and not for keys of ${config.name}`);
  }
  // Whoever had the machine may have copied every key that was on it, also one that was only prepared.
  const isCompromised = isRevoked === true;
  const prepared = await withNextKey(isCompromised ? { ...config, furtherKeyPairs: undefined } : config);
  await writeHostConfig(configPath, prepared);
  const next = nextOf(prepared)!;
  const { name, pools } = config;
  await gateway.join({ token, name, publicKey: next.publicKey, arch: machine(), pools });
  const dropsFormer = command.dropsFormer || isCompromised;
  await writeHostConfig(configPath, rotated(prepared, next, nowMs, dropsFormer));
  // One that was revoked has ended its talk with the control plane: only a new start begins it again.
  const isRestarting = isRevoked === true && isSystemdRunning();
  if (isRestarting) await systemctl(['try-restart', unitName]);
  return {
    hostId: config.hostId,
    publicKey: next.publicKey,
    text:
      `Host ${name} has a new key.\n` +
      (dropsFormer
        ? 'The former one is gone: orders that were sealed to it fail here, and deployments go to the next host.\n'
        : `The former one is accepted for ${FORMER_KEY_HOURS} hours.\n`) +
      (isRevoked && !isRestarting ? 'It was revoked: start its worker again.\n' : ''),
  };
}

const nextOf = ({ furtherKeyPairs = [] }: HostConfig): FurtherKeyPair | undefined =>
  furtherKeyPairs.find(({ until }) => until === undefined);

/** A rotation that was cut short goes on with the key that the control plane may know already. */
async function withNextKey(config: HostConfig): Promise<HostConfig> {
  if (nextOf(config)) return config;
  return { ...config, furtherKeyPairs: [await generateKeyPair(), ...(config.furtherKeyPairs ?? [])] };
}

/** The next key is the host's, and its own one of the former. */
export function rotated(config: HostConfig, next: FurtherKeyPair, nowMs: number, dropsFormer: boolean): HostConfig {
  const until = new Date(nowMs + FORMER_KEY_HOURS * HOUR_MS).toISOString();
  const { furtherKeyPairs = [] } = withoutExpiredKeys(config, nowMs);
  const former = furtherKeyPairs.filter((pair) => pair.until !== undefined);
  const { publicKey, secretKey } = next;
  return {
    ...config,
    keyPair: { publicKey, secretKey },
    furtherKeyPairs: dropsFormer ? [] : [{ ...config.keyPair, until }, ...former],
  };
}
