import { eq } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { HostFacts } from '../../../shared/hosts.js';
import { isSkewed, OLDEST_HOST_PROTOCOL, SLIPWAY_VERSION } from '../../../shared/version.js';
import type { Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';

type HostRow = typeof host.$inferSelect;
type Version = Pick<HostFacts, 'slipwayVersion' | 'protocolVersion'>;

/** @throws SlipwayError SLIPWAY_HOST_TOO_OLD: what it does not understand would fail here and there, and nobody knew why */
export function requireProtocol({ name }: HostRow, { slipwayVersion, protocolVersion = 1 }: Version): void {
  if (protocolVersion >= OLDEST_HOST_PROTOCOL) return;
  throw new SlipwayError(
    'SLIPWAY_HOST_TOO_OLD',
    `Host ${name} runs Slipway ${slipwayVersion ?? 'of an unknown version'}, which speaks protocol ${protocolVersion}; ` +
      `the control workers run ${SLIPWAY_VERSION} and need ${OLDEST_HOST_PROTOCOL} at least`,
  );
}

/** What a host runs: an event when it begins to differ from what this control worker runs, and not at each word. */
export async function recordVersion(tx: Transaction, self: HostRow, { slipwayVersion }: Version): Promise<void> {
  const versionSkew =
    slipwayVersion !== undefined && isSkewed(slipwayVersion, SLIPWAY_VERSION)
      ? `the host runs Slipway ${slipwayVersion}, and the control workers ${SLIPWAY_VERSION}`
      : null;
  if (versionSkew === self.versionSkew && (slipwayVersion ?? null) === self.slipwayVersion) return;
  await tx
    .update(host)
    .set({ slipwayVersion: slipwayVersion ?? null, versionSkew })
    .where(eq(host.id, self.id));
  if (versionSkew === null || versionSkew === self.versionSkew) return;
  await recordEvent(tx, {
    type: 'HOST.VERSION.SKEW',
    level: 'WARN',
    description: `Host ${self.name}: ${versionSkew}. Bring both to one release`,
    resourceType: 'Host',
    resourceId: self.id,
  });
}
