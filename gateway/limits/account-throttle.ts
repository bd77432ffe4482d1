import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { createWindowCounter } from './window-counter.js';

/** How long a change of the settings may take to be noticed: no call is to read them for this alone. */
const SETTINGS_AGE_MS = 5_000;

export interface ApiUsage {
  issued: number;
  /** Missing when there is no limit. */
  allowed: number | undefined;
  expiresMs: number;
}

/** CloudStack's limit on calls of an account, in one gateway: each counts for itself, as CloudStack's servers do. */
export interface AccountThrottle {
  /** @throws SlipwayError SLIPWAY_TOO_MANY_REQUESTS */
  count(caller: Caller): Promise<void>;
  usage(caller: Caller): Promise<ApiUsage>;
  /** Lets an account, or all, begin at none. */
  reset(accountId?: string): void;
}

interface Limit {
  isEnabled: boolean;
  intervalMs: number;
  max: number;
}

export function createAccountThrottle(db: Database, settingsAgeMs = SETTINGS_AGE_MS): AccountThrottle {
  let limit: Limit = { isEnabled: false, intervalMs: 1_000, max: 0 };
  let readMs = Number.NEGATIVE_INFINITY;
  const counter = createWindowCounter(() => limit.intervalMs);

  async function present(): Promise<Limit> {
    if (performance.now() - readMs < settingsAgeMs) return limit;
    const before = readMs;
    // Before the answer: calls that come meanwhile go by what is known.
    readMs = performance.now();
    try {
      const settings = await readSettings(db);
      limit = {
        isEnabled: settings['api.throttling.enabled'] === 'true',
        intervalMs: Number(settings['api.throttling.interval']) * 1_000,
        max: Number(settings['api.throttling.max']),
      };
    } catch (error) {
      readMs = before;
      throw error;
    }
    return limit;
  }

  return {
    async count(caller) {
      const { isEnabled, max } = await present();
      if (!isEnabled || isExempt(caller)) return;
      if (counter.add(caller.accountId) <= max) return;
      throw new SlipwayError(
        'SLIPWAY_TOO_MANY_REQUESTS',
        `The given user has reached his/her account api limit, please retry after ${counter.remainingMs()} ms.`,
      );
    },
    async usage(caller) {
      const { isEnabled, max } = await present();
      const isLimited = isEnabled && !isExempt(caller);
      return {
        issued: counter.of(caller.accountId),
        allowed: isLimited ? max : undefined,
        expiresMs: counter.remainingMs(),
      };
    },
    reset: (accountId) => counter.reset(accountId),
  };
}

/** As in CloudStack: who has to set the limit right must not be shut out by it. */
const isExempt = ({ role }: Caller): boolean => role === 'Admin';
