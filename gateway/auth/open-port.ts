import type { IncomingHttpHeaders } from 'node:http';
import type { Database } from '../../db/client.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import { SlipwayError } from '../../shared/errors.js';

/** Who calls by the port that asks nobody who they are. */
export async function openCaller({ db }: { db: Database }): Promise<Caller> {
  const caller = await findDefaultAdmin(db);
  if (caller) return caller;
  throw new SlipwayError('SLIPWAY_UNAUTHENTICATED', 'The default account has no user that may call');
}

/** With the port, if there is one. */
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/**
 * A browser on the same machine reaches the port too, and with it every page that is open there: by a form, or by a name that
 * leads to the loopback address.
 *
 * @throws SlipwayError SLIPWAY_PERMISSION_DENIED
 */
export function refuseBrowser(headers: IncomingHttpHeaders): void {
  const isOfPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (!isOfPage && LOOPBACK_HOST.test(headers.host ?? '')) return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    'This port is for programs of this machine, and not for browsers',
  );
}
