import { findStoragePool } from '../../db/reads/list-storage-pools.js';
import { SlipwayError } from '../../shared/errors.js';
import { poolStateWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { storagePoolFields } from '../responses/storage-pool.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';

const params = { ...asyncParameters, id: required(uuid('ID of the pool.')) };

export const enableStorageMaintenance = defineCommand({
  name: 'enableStorageMaintenance',
  description:
    'Brings a primary storage pool into maintenance: it takes no new disks and templates, and the virtual machines that ' +
    'have their disks there are stopped. Operations and downloads that are under way there are waited for.',
  kind: 'async',
  envelope: 'prepareprimarystorageformaintenanceresponse',
  allowedRoles: ADMIN_ONLY,
  params,
  response: { objectName: 'storagepool', fields: storagePoolFields },
  handle: (args, context) =>
    startPoolJob({ ...args, jobCmd: 'enableStorageMaintenance', from: ['Up', 'ErrorInMaintenance'] }, context),
});

export const cancelStorageMaintenance = defineCommand({
  name: 'cancelStorageMaintenance',
  description:
    'Ends the maintenance of a primary storage pool, and starts the virtual machines that it has stopped. While they are ' +
    'still being stopped, cancel that job first.',
  kind: 'async',
  envelope: 'cancelprimarystoragemaintenanceresponse',
  allowedRoles: ADMIN_ONLY,
  params,
  response: {
    objectName: 'storagepool',
    fields: {
      ...storagePoolFields,
      virtualmachines: field('list', 'What could not be started again. Slipway has this key, CloudStack has not.', {
        id: field('string', 'ID of the virtual machine.'),
        name: field('string', 'Name.'),
        state: field('string', 'State when the job ended.'),
      }),
    },
  },
  handle: (args, context) =>
    startPoolJob({ ...args, jobCmd: 'cancelStorageMaintenance', from: ['Maintenance', 'ErrorInMaintenance'] }, context),
});

interface PoolCall {
  /** The command, which is the workflow's type too. */
  jobCmd: string;
  id: string;
  customjobid: string | undefined;
  /** States that the pool may be in. */
  from: string[];
}

async function startPoolJob(
  { jobCmd, id, customjobid, from }: PoolCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, command } = context;
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const row = await findStoragePool(db, id);
  if (!row) throw noSuchEntity(command, 'id', id);
  const { name, status } = row.pool;
  if (!from.includes(status)) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `Primary storage ${name} has to be ${from.join(' or ')} for that, and its status is ${status}`,
    );
  }
  const job = await insertJob(db, context, {
    jobCmd,
    customjobid,
    workflowType: jobCmd,
    workflowId: poolStateWorkflowId(id),
    input: { poolId: id },
    instanceType: 'StoragePool',
    instanceId: id,
  });
  return begin(job, context);
}
