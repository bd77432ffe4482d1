import { endMaintenance } from '../../db/hosts.js';
import { hostFields } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { hostJobParameters } from './host-job.js';

const JOB_CMD = 'cancelHostMaintenance';

export const cancelHostMaintenance = defineCommand({
  name: JOB_CMD,
  description: 'Has a host take work again that is in maintenance, or being prepared for it.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  params: hostJobParameters,
  response: { objectName: 'host', fields: hostFields },
  handle: ({ id, customjobid }, context) =>
    doneAtOnce({ jobCmd: JOB_CMD, customjobid, instanceType: 'Host', instanceId: id }, context, (tx) =>
      endMaintenance(tx, context.caller, id),
    ),
});
