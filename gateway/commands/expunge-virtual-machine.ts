import type { VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { SlipwayError } from '../../shared/errors.js';
import { requireExpungeRight } from '../auth/require-expunge-right.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { asyncParameters } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { startVirtualMachineJob } from './virtual-machine-job.js';

/** One in Error has ended too: nothing of it can be recovered. */
const ENDED_STATES = ['Destroyed', 'Error', 'Expunging'];

export const expungeVirtualMachine = defineCommand({
  name: 'expungeVirtualMachine',
  description:
    'Deletes what is left of a destroyed virtual machine, which cannot be recovered any more. It happens by itself when ' +
    'the setting expunge.delay is over.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: { ...asyncParameters, id: required(uuid('ID of the virtual machine.')) },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: a job that could not delete it has failed.') },
  },
  async handle({ id, customjobid }, context) {
    await requireExpungeRight(context.db, context.caller, 'Expunging a vm');
    const job = {
      jobCmd: 'expungeVirtualMachine',
      workflowType: 'destroyVirtualMachine',
      id,
      customjobid,
      input({ state }: VirtualMachineRow): { expunge: true } {
        if (ENDED_STATES.includes(state)) return { expunge: true };
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'Please destroy vm with specified vmId before expunge');
      },
    };
    return startVirtualMachineJob(job, context);
  },
});
