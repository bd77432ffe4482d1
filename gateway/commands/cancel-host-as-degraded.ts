import { endDegraded } from '../../db/hosts.js';
import { hostFields } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { doneAtOnce } from './done-at-once.js';
import { hostJobParameters } from './host-job.js';

const JOB_CMD = 'cancelHostAsDegraded';

export const cancelHostAsDegraded = defineCommand({
  name: JOB_CMD,
  description:
    'Takes back that a host is fenced: it takes work again when it is Up. Until it has been seen, virtual machines that ' +
    'it may still run are not started elsewhere.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  since: '4.16',
  params: hostJobParameters,
  response: { objectName: 'host', fields: hostFields },
  handle: ({ id, customjobid }, context) =>
    doneAtOnce({ jobCmd: JOB_CMD, customjobid, instanceType: 'Host', instanceId: id }, context, (tx) =>
      endDegraded(tx, context.caller, id),
    ),
});
