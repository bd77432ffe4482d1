import type { KeystoreReport } from '../../shared/certificates.js';
import { control, settleOnHost } from '../activity-proxies.js';
import { outcomeOf, summaryOf } from './outcome-of.js';

/**
 * As `equipHosts`, of the one host whose life this is: through its own queue, and one that falls silent is a failure.
 *
 * @returns what it says that it has now; undefined when it has what it should, or cannot have it
 */
export async function equipHost(zoneId: string, hostId: string): Promise<KeystoreReport | undefined> {
  const plan = await control('what is this host to trust?').planKeystores({ zoneId, hostIds: [hostId] });
  const { generation, certificates, hosts } = plan;
  const [order] = hosts;
  if (!order) return undefined;
  const packed = await control('the certificates themselves').packKeystore({ certificates });
  const host = settleOnHost(hostId, summaryOf(plan, order));
  const answer = host.applyCertificates({ generation, without: order.without }, packed);
  const outcome = await outcomeOf(plan, order, answer, 'SLIPWAY_HOST_UNREACHABLE');
  if (!outcome) return undefined;
  await control('record what it has').recordKeystores({ zoneId, generation, certificates, outcomes: [outcome] });
  return outcome.applied?.report;
}
