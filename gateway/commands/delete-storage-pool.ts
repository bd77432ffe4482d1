import { setTimeout as sleep } from 'node:timers/promises';
import { listEndedOnPool, removeStoragePool } from '../../db/storage-pools.js';
import { isSlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';
import { startVirtualMachineJob } from './virtual-machine-job.js';

/** Jobs that take longer go on, and a call that comes later finds them done. */
const EXPUNGE_TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 250;

export const deleteStoragePool = defineCommand({
  name: 'deleteStoragePool',
  description:
    'Deletes a primary storage pool that is in maintenance and has no disks. Its files stay. Take it out of the ' +
    'configuration of its hosts too.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the pool.')),
    forced: withDefault(
      boolean('Whether destroyed virtual machines that have their disks there are expunged first.'),
      false,
    ),
  },
  response: { objectName: 'deletestoragepool', fields: { success: field('boolean', 'True.') } },
  async handle({ id, forced }, context) {
    const { db, caller, command } = context;
    if (forced) await expungeEnded(id, context);
    if (!(await removeStoragePool(db, caller, { id, isForced: forced }))) throw noSuchEntity(command, 'id', id);
    return { success: true };
  },
});

/** What is not done in time is named by the refusal that follows. */
async function expungeEnded(poolId: string, context: CommandContext): Promise<void> {
  const { db } = context;
  for (const { id } of await listEndedOnPool(db, poolId)) await expunge(id, context);
  for (let waitedMs = 0; waitedMs < EXPUNGE_TIMEOUT_MS; waitedMs += LOOK_EVERY_MS) {
    if ((await listEndedOnPool(db, poolId)).length === 0) return;
    await sleep(LOOK_EVERY_MS);
  }
}

async function expunge(id: string, context: CommandContext): Promise<void> {
  const jobCmd = 'expungeVirtualMachine';
  const call = { jobCmd, workflowType: 'destroyVirtualMachine', id, customjobid: undefined, input: { expunge: true } };
  try {
    await startVirtualMachineJob(call, context);
  } catch (error) {
    // It is being expunged already.
    if (!isSlipwayError(error) || error.code !== 'SLIPWAY_RESOURCE_BUSY') throw error;
  }
}
