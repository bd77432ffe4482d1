import { isInZone } from '../../db/reads/find-deployment-parts.js';
import type { DeployVirtualMachineInput } from '../../shared/virtual-machines.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';
import { refuseToOthers } from './refuse-to-others.js';

interface Places {
  hostid?: string;
  podid?: string;
  clusterid?: string;
}

/**
 * The only place that is to be tried.
 *
 * @throws SlipwayError SLIPWAY_PERMISSION_DENIED for others than root admins, SLIPWAY_PARAMETER_VALUE for a place that
 * the zone does not have
 */
export async function withinOf(
  { hostid, podid, clusterid }: Places,
  zoneId: string,
  { db, caller, command }: CommandContext,
): Promise<DeployVirtualMachineInput['within']> {
  const places = [
    ['host', hostid],
    ['pod', podid],
    ['cluster', clusterid],
  ] as const;
  refuseToOthers({ hostid, podid, clusterid }, caller);
  for (const [table, id] of places) {
    if (id === undefined) continue;
    if (!(await isInZone(db, zoneId, table, id))) throw noSuchEntity(command, `${table}id`, id);
  }
  const isAnywhere = places.every(([, id]) => id === undefined);
  return isAnywhere ? undefined : { hostId: hostid, podId: podid, clusterId: clusterid };
}
