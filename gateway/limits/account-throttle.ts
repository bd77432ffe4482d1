import { isDeepStrictEqual } from 'node:util';
import { forgetCalls, takeCalls } from '../../db/api-counts.js';
import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { SlipwayError } from '../../shared/errors.js';
import type { GlobalSettingValues } from '../../shared/settings.js';
import { createRecentSettings } from './recent-settings.js';

/**
 * A gateway takes leave for this share of an account's calls at a time. Small, since what one has left others cannot use;
 * not a single call, since each time is a statement.
 */
const SHARE_AT_ONCE = 1 / 20;
/** How long an account that has used all is not asked after again, though somebody may have reset it at another gateway. */
const REFUSED_MS = 1_000;

export interface ApiUsage {
  issued: number;
  /** Missing when there is no limit. */
  allowed: number | undefined;
  expiresMs: number;
}

/** CloudStack's limit on calls of an account, which all gateways keep together. */
export interface AccountThrottle {
  /** @throws SlipwayError SLIPWAY_TOO_MANY_REQUESTS */
  count(caller: Caller): Promise<void>;
  usage(caller: Caller): Promise<ApiUsage>;
  /** Lets an account, or all, begin at none. */
  reset(accountId?: string): Promise<void>;
}

interface Limit {
  isEnabled: boolean;
  intervalMs: number;
  max: number;
}

/** What this gateway has of an account's calls in the present interval. */
interface Leave {
  left: number;
  refusedUntilMs: number;
  /** The question for more that is under way: calls that come together ask once. */
  asking?: Promise<void> | undefined;
}

export function createAccountThrottle(db: Database, settings = createRecentSettings(db)): AccountThrottle {
  let limit: Limit | undefined;
  let leaves = new Map<string, Leave>();
  /** Not known until somebody has asked in the present interval. */
  let endsMs: number | undefined;

  async function present(): Promise<Limit> {
    const found = limitOf(await settings());
    if (limit && isDeepStrictEqual(found, limit)) return limit;
    // Leave by another limit is none: a twentieth of a high one is more than a low one allows at all.
    leaves = new Map();
    endsMs = undefined;
    return (limit = found);
  }

  function leaveOf(accountId: string): Leave {
    // An interval ends for all accounts at once: what is kept is no more than who called in it.
    if (endsMs !== undefined && performance.now() >= endsMs) {
      leaves = new Map();
      endsMs = undefined;
    }
    let leave = leaves.get(accountId);
    if (!leave) leaves.set(accountId, (leave = { left: 0, refusedUntilMs: 0 }));
    return leave;
  }

  async function ask(accountId: string, leave: Leave, asked: Limit): Promise<void> {
    const { max, intervalMs } = asked;
    const wanted = Math.ceil(max * SHARE_AT_ONCE);
    const { granted, remainingMs } = await takeCalls(db, { accountId, wanted, max, intervalMs });
    if (asked !== limit) return;
    const nowMs = performance.now();
    // The answer is of the next interval: what others have left is of the one before.
    if (endsMs !== undefined && nowMs + remainingMs > endsMs + intervalMs / 2) leaves = new Map([[accountId, leave]]);
    endsMs = nowMs + remainingMs;
    leave.left += granted;
    if (granted === 0) leave.refusedUntilMs = nowMs + Math.min(REFUSED_MS, remainingMs);
  }

  const remainingMs = (): number => Math.max(0, Math.ceil((endsMs ?? 0) - performance.now()));

  return {
    async count(caller) {
      const { accountId } = caller;
      const known = await present();
      if (!known.isEnabled || isExempt(caller)) return;
      let leave = leaveOf(accountId);
      while (leave.left === 0) {
        if (performance.now() < leave.refusedUntilMs) {
          throw new SlipwayError(
            'SLIPWAY_TOO_MANY_REQUESTS',
            `The given user has reached his/her account api limit, please retry after ${remainingMs()} ms.`,
          );
        }
        const asked = leave;
        asked.asking ??= ask(accountId, asked, limit ?? known).finally(() => (asked.asking = undefined));
        await asked.asking;
        leave = leaveOf(accountId);
      }
      leave.left -= 1;
    },
    async usage(caller) {
      const { accountId } = caller;
      const { isEnabled, max, intervalMs } = await present();
      if (!isEnabled || isExempt(caller)) return { issued: 0, allowed: undefined, expiresMs: 0 };
      const looked = await takeCalls(db, { accountId, wanted: 0, max, intervalMs });
      // Leave of the interval before, where this gateway has not learnt yet that it is over.
      return {
        issued: Math.max(0, looked.taken - leaveOf(accountId).left),
        allowed: max,
        expiresMs: looked.remainingMs,
      };
    },
    async reset(accountId) {
      await forgetCalls(db, accountId);
      if (accountId === undefined) leaves.clear();
      else leaves.delete(accountId);
    },
  };
}

const limitOf = (settings: GlobalSettingValues): Limit => ({
  isEnabled: settings['api.throttling.enabled'] === 'true',
  intervalMs: Number(settings['api.throttling.interval']) * 1_000,
  max: Number(settings['api.throttling.max']),
});

/** As in CloudStack: who has to set the limit right must not be shut out by it. */
const isExempt = ({ role }: Caller): boolean => role === 'Admin';
