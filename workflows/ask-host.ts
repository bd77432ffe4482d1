import { log } from '@temporalio/workflow';
import { type Placement, undoToken } from '../shared/virtual-machines.js';
import { onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/** Whether the domain is alive, as its host sees it; undefined when the host does not answer. */
export async function askHost({ vmId, token, hostId, hostName }: Placement): Promise<boolean | undefined> {
  try {
    return await onHost(hostId, `does it run on ${hostName}?`).isDomainAlive({ vmId, token: undoToken(token) });
  } catch (error) {
    log.warn('nobody can say whether the VM runs', { hostId, vmId, failure: failureOf(error) });
    return undefined;
  }
}
