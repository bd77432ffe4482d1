import { randomUUID } from 'node:crypto';
import { type ConsolePlace, findConsole } from '../../db/reads/find-console.js';
import type { ConsoleInput } from '../../shared/consoles.js';
import { SlipwayError } from '../../shared/errors.js';
import { accountKey, hostKey, vmKey } from '../../shared/search-attributes.js';
import { consoleWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';

const TIMEOUT_MS = 10_000;

/** A VM of the caller's, and the host that has its console. */
export interface HostedConsole extends ConsolePlace {
  vmId: string;
  hostId: string;
  hostName: string;
}

/**
 * @param parameter the one that the id came in
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE for the VM of another, SLIPWAY_RESOURCE_STATE when it is nowhere,
 *   SLIPWAY_HOST_REVOKED
 */
export async function consoleOf(
  vmId: string,
  parameter: string,
  { db, caller, command }: CommandContext,
): Promise<HostedConsole> {
  const place = await findConsole(db, caller, vmId);
  if (!place) throw noSuchEntity(command, parameter, vmId);
  const { hostId, hostName } = place;
  if (hostId === null || hostName === null) {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${place.vmName} has not been on a host yet`);
  }
  if (place.hostStatus === 'Revoked') {
    throw new SlipwayError('SLIPWAY_HOST_REVOKED', `Host ${hostName} was revoked: nothing is asked of it`);
  }
  return { ...place, vmId, hostId, hostName };
}

/** Has a workflow ask the host: the gateway itself knows the way to no host. */
export function askConsole(
  workflowType: 'readConsoleLog' | 'findDisplay',
  { vmId, hostId, hostName, accountId }: HostedConsole,
  question: Record<string, unknown>,
  context: CommandContext,
): Promise<unknown> {
  const input: ConsoleInput = { vmId, hostId, hostName };
  return context.executeWorkflow({
    workflowType,
    workflowId: consoleWorkflowId(randomUUID()),
    input: { ...input, ...question },
    searchAttributes: [
      { key: accountKey, value: accountId },
      { key: vmKey, value: vmId },
      { key: hostKey, value: hostId },
    ],
    summary: `${workflowType} of a VM on ${hostName}`,
    timeoutMs: TIMEOUT_MS,
  });
}
