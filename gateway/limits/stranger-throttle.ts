import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { SlipwayError } from '../../shared/errors.js';
import { createWindowCounter } from './window-counter.js';

/** Calls without a good signature that one address may make in a minute. */
const MAX_UNAUTHENTICATED = 60;
const INTERVAL_MS = 60_000;
/** Of keys that are known to be good; the oldest are forgotten, and then count like any other. */
const MAX_KNOWN = 10_000;

/**
 * Keeps an address that guesses from the database and the signatures. A key that was good from there lately is served all
 * the same: behind one address may be a whole company, and one of its machines with a wrong key.
 */
export interface StrangerThrottle {
  /**
   * Before a call is authenticated.
   *
   * @throws SlipwayError SLIPWAY_TOO_MANY_REQUESTS
   */
  admit(address: string, apiKey: string | undefined): void;
  /** A call was authenticated. */
  knows(address: string, apiKey: string | undefined): void;
  /** A call was not. */
  counts(address: string): void;
}

export function createStrangerThrottle(max = MAX_UNAUTHENTICATED): StrangerThrottle {
  const failures = createWindowCounter(() => INTERVAL_MS);
  const known = new Set<string>();
  return {
    admit(address, apiKey) {
      if (failures.of(networkOf(address)) < max) return;
      if (apiKey !== undefined && known.has(nameOf(address, apiKey))) return;
      throw new SlipwayError(
        'SLIPWAY_TOO_MANY_REQUESTS',
        `Too many calls from this address were not authenticated, please retry after ${failures.remainingMs()} ms.`,
      );
    },
    knows(address, apiKey) {
      if (apiKey === undefined) return;
      const name = nameOf(address, apiKey);
      // To the end of the queue, so that whoever is forgotten has not called for long.
      known.delete(name);
      known.add(name);
      if (known.size > MAX_KNOWN) known.delete(known.values().next().value!);
    },
    counts: (address) => void failures.add(networkOf(address)),
  };
}

/** Hashed: keys are not to lie about in memory, and a long one is not to fill it. */
const nameOf = (address: string, apiKey: string): string =>
  createHash('sha256').update(`${address} ${apiKey}`).digest('base64');

/** Whoever has one IPv6 address has the 2^64 of its network. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
